/** Longest host name that a ClientHello can be believed to hold. */
const MAX_NAME = 255;

/** What a ClientHello asks for. */
export interface ServerNameRequest {
  /** Host name in the extension server_name (RFC 6066 §3); undefined: there is none. */
  readonly serverName: string | undefined;
}

/**
 * Reads the server name out of the first bytes of a TLS connection (RFC 8446 §4.1.2), so that the certificate is chosen before the handshake
 * begins: to ask for it within the handshake costs a twentieth of it. Undefined when the ClientHello is not there as a whole, in one record, or
 * is not understood: then the handshake must ask. What is read here chooses a certificate and nothing else; what counts is the name that the
 * TLS library has read.
 */
export function readServerName(bytes: Buffer): ServerNameRequest | undefined {
  // Record: type 22, version, length; handshake: type 1, length of 3 bytes.
  if (bytes.length < 9 || bytes[0] !== 22 || bytes[5] !== 1) return undefined;
  const end = 9 + bytes.readUIntBE(6, 3);
  if (end > bytes.length || end !== 5 + bytes.readUInt16BE(3)) return undefined;
  const extensions = skipToExtensions(bytes, end);
  if (extensions === undefined) return undefined;
  return extensions === end ? { serverName: undefined } : readExtensions(bytes, extensions, end);
}

/** Version and random, session id, cipher suites, compression methods. */
function skipToExtensions(bytes: Buffer, end: number): number | undefined {
  let at = 9 + 34;
  for (const sizeBytes of [1, 2, 1]) {
    if (at + sizeBytes > end) return undefined;
    at += sizeBytes + bytes.readUIntBE(at, sizeBytes);
  }
  return at > end ? undefined : at;
}

function readExtensions(bytes: Buffer, start: number, end: number): ServerNameRequest | undefined {
  if (start + 2 > end || start + 2 + bytes.readUInt16BE(start) !== end) return undefined;
  let at = start + 2;
  while (at + 4 <= end) {
    const size = bytes.readUInt16BE(at + 2);
    if (at + 4 + size > end) return undefined;
    if (bytes.readUInt16BE(at) === 0) return readNames(bytes, at + 4, at + 4 + size);
    at += 4 + size;
  }
  return at === end ? { serverName: undefined } : undefined;
}

/** A list of one name of the type host_name. */
function readNames(bytes: Buffer, start: number, end: number): ServerNameRequest | undefined {
  if (start + 5 > end || bytes.readUInt16BE(start) !== end - start - 2 || bytes[start + 2] !== 0) return undefined;
  const size = bytes.readUInt16BE(start + 3);
  if (size === 0 || size > MAX_NAME || start + 5 + size !== end) return undefined;
  return { serverName: bytes.toString('latin1', start + 5, end) };
}
