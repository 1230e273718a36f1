/**
 * proxy ── DNS ── guard ── TCP ── TLS ──▶ destination
 *
 * One way to open a connection. The guard sits in the look-up that the socket itself uses, so that the address that was
 * judged is the address that is dialled.
 */
import dns from 'node:dns';
import net from 'node:net';
import tls from 'node:tls';
import { AlterError } from '../errors.ts';
import { formatAuthority } from '../message/authority.ts';
import type { Origin } from '../message/authority.ts';
import { KEEP_ALIVE_DELAY_MS } from '../message/keep-alive.ts';
import { judgeAddress } from './address-guard.ts';
import { checkServerIdentity } from './server-identity.ts';

/** What a {@link Dialer} needs to know. */
export interface DialOptions {
  /** PEM certificates that are trusted; the whole list, roots included. */
  readonly trust: readonly string[];
  /** `host` or `host:port` whose addresses may be private or loopback. */
  readonly allowPrivate: readonly string[];
  readonly connectTimeoutMs: number;
}

/** Calls back once, with a socket that is ready for the first byte, or with the refusal. */
export type DialCallback = (error: AlterError | null, socket: net.Socket | null) => void;

/** Opens connections to origins. */
export class Dialer {
  readonly #secureContext: tls.SecureContext;
  readonly #allowPrivate: ReadonlySet<string>;
  readonly #connectTimeoutMs: number;

  constructor(options: DialOptions) {
    this.#secureContext = tls.createSecureContext({ ca: [...options.trust], minVersion: 'TLSv1.2' });
    this.#allowPrivate = new Set(options.allowPrivate);
    this.#connectTimeoutMs = options.connectTimeoutMs;
  }

  /** Opens TCP, and TLS for `https`. `session` resumes an earlier TLS session. */
  dial(origin: Origin, session: Buffer | undefined, callback: DialCallback): void {
    const once = new DialAttempt(origin, this.#connectTimeoutMs, callback);
    const privateAllowed = this.#allowPrivate.has(origin.host) || this.#allowPrivate.has(formatAuthority(origin));
    if (net.isIP(origin.host) !== 0 && !mayDial(origin.host, privateAllowed)) {
      process.nextTick(() => {
        once.fail(blocked());
      });
      return;
    }
    this.#connect(once, { origin, session, privateAllowed, addressMs: FIRST_ADDRESS_MS });
  }

  #connect(once: DialAttempt, dialled: Dialled): void {
    const { origin, privateAllowed, addressMs } = dialled;
    const options = { ...where(origin), lookup: guardedLookup(privateAllowed), autoSelectFamilyAttemptTimeout: addressMs };
    const socket = origin.scheme === 'http' ? net.connect(options) : this.#connectTls(options, dialled);
    once.watch(socket, (error) => {
      if (!gaveUpEarly(error)) return false;
      this.#connect(once, { ...dialled, addressMs: addressMs * LONGER });
      return true;
    });
    // Ahead of TLS, which begins at the same event.
    socket.prependOnceListener('connect', () => {
      socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_DELAY_MS);
      if (!mayDial(socket.remoteAddress ?? '', privateAllowed)) once.fail(blocked());
      else if (origin.scheme === 'http') once.succeed(socket);
    });
    socket.once('secureConnect', () => {
      once.succeed(socket);
    });
  }

  #connectTls(options: net.TcpNetConnectOpts, { origin, session }: Dialled): tls.TLSSocket {
    const socket: tls.TLSSocket = tls.connect({
      ...options,
      secureContext: this.#secureContext,
      // RFC 6066 §3: no IP literals in SNI; `host` is what the certificate is checked against.
      ...(net.isIP(origin.host) === 0 ? { servername: origin.host } : {}),
      checkServerIdentity: (_name, certificate) => checkServerIdentity(origin.host, certificate),
      ALPNProtocols: ['http/1.1'],
      ...(session === undefined ? {} : { session }),
      ...reading((chunk) => socket.emit('data', chunk)),
    });
    return socket;
  }
}

interface Dialled {
  readonly origin: Origin;
  readonly session: Buffer | undefined;
  readonly privateAllowed: boolean;
  /** How long each of several addresses is given, but the last. */
  readonly addressMs: number;
}

/**
 * Of several addresses Node gives up the one before when it tries the next (RFC 8305 §5 would leave it under way). So when the others fail,
 * one that was only slow must be tried again, and be given longer.
 */
const FIRST_ADDRESS_MS = 250;
const LONGER = 4;

function gaveUpEarly(error: Error): boolean {
  return error instanceof AggregateError && error.errors.some((one) => one instanceof Error && errorCode(one) === 'ETIMEDOUT');
}

function where({ host, port }: Origin): { readonly host: string; readonly port: number } {
  return { host, port };
}

/** TLS decrypts no more than this at a time. */
const RECORD_BYTES = 16 * 1024;
/** What is smaller is copied out of the buffer; what is larger leaves with it. */
const MAX_COPIED = 4 * 1024;

/**
 * Options that have a socket tell of each chunk at once. A stream would keep a buffer of its own for each, and ask itself after each whether it
 * should read on: with small answers that costs as much as to decrypt them.
 */
function reading(data: (chunk: Buffer) => void): Pick<net.ConnectOpts, 'onread'> {
  let buffer = Buffer.allocUnsafeSlow(RECORD_BYTES);
  const callback = (bytes: number): boolean => {
    const chunk = buffer.subarray(0, bytes);
    if (bytes > MAX_COPIED) {
      buffer = Buffer.allocUnsafeSlow(RECORD_BYTES);
      data(chunk);
    } else data(Buffer.from(chunk));
    return true;
  };
  return { onread: { buffer: () => buffer, callback } };
}

/** One attempt to connect: the first of success, failure and time-out wins, and a loser leaves no socket behind. */
class DialAttempt {
  readonly #origin: Origin;
  readonly #callback: DialCallback;
  readonly #timer: NodeJS.Timeout;
  #socket: net.Socket | undefined;
  #done = false;

  constructor(origin: Origin, timeoutMs: number, callback: DialCallback) {
    this.#origin = origin;
    this.#callback = callback;
    this.#timer = setTimeout(() => {
      this.fail(new AlterError('upstream_timeout', { detail: `no connection to ${origin.host} within ${timeoutMs} ms` }));
    }, timeoutMs);
  }

  /** Waits for `socket`. `again` is asked about a failure, and says whether it has begun with another socket. */
  watch(socket: net.Socket, again: (error: Error) => boolean): void {
    this.#socket = socket;
    socket.on('error', (error) => {
      if (this.#done || this.#socket !== socket) return;
      if (!again(error)) this.fail(dialError(error, this.#origin.host));
    });
    socket.once('close', () => {
      if (this.#socket !== socket) return;
      this.fail(new AlterError('upstream_unreachable', { detail: `${this.#origin.host} closed the connection` }));
    });
  }

  succeed(socket: net.Socket): void {
    if (this.#settle()) this.#callback(null, socket);
  }

  fail(error: AlterError): void {
    if (!this.#settle()) return;
    this.#socket?.destroy();
    this.#callback(error, null);
  }

  #settle(): boolean {
    if (this.#done) return false;
    this.#done = true;
    clearTimeout(this.#timer);
    return true;
  }
}

function mayDial(address: string, privateAllowed: boolean): boolean {
  const verdict = judgeAddress(address);
  return verdict === 'public' || (verdict === 'private' && privateAllowed);
}

function blocked(): AlterError {
  return new AlterError('destination_blocked');
}

/** A `lookup` for `net.connect` that answers only addresses which may be dialled. */
function guardedLookup(privateAllowed: boolean): net.LookupFunction {
  return (hostname, options, callback) => {
    dns.lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) {
        callback(error, []);
        return;
      }
      const allowed = addresses.filter(({ address }) => mayDial(address, privateAllowed));
      const first = allowed[0];
      if (first === undefined) callback(blocked(), []);
      else if (options.all === true) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}

/** Node's codes for failed certificate checks, with what they mean. Source: Node.js documentation, "X509 certificate error codes". */
const CERTIFICATE_CHECKS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'the certificate has expired',
  CERT_NOT_YET_VALID: 'the certificate is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate is self-signed and not trusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'the chain ends in a root that is not trusted',
  UNABLE_TO_GET_ISSUER_CERT: 'the issuer of the certificate is not known',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'the issuer of the certificate is not known',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'the issuer of the certificate is not known (an intermediate may be missing)',
  CERT_SIGNATURE_FAILURE: 'the signature of the certificate is wrong',
  CERT_REVOKED: 'the certificate was revoked',
  CERT_UNTRUSTED: 'the certificate is not trusted',
  CERT_REJECTED: 'the certificate is rejected',
  INVALID_CA: 'the issuer may not issue certificates',
  INVALID_PURPOSE: 'the certificate is not meant for servers',
  PATH_LENGTH_EXCEEDED: 'the chain is longer than a CA in it allows',
  CERT_CHAIN_TOO_LONG: 'the chain is too long',
  HOSTNAME_MISMATCH: 'the certificate is for another host',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate is for another host',
};

/** Turns a socket or TLS error into the refusal for the client. */
export function dialError(error: Error, host: string): AlterError {
  if (error instanceof AlterError) return error;
  const code = errorCode(error);
  const check = CERTIFICATE_CHECKS[code];
  if (check !== undefined)
    return new AlterError('upstream_tls_failed', { detail: `${host}: ${check} (${code})`, rule: code, cause: error });
  if (code.startsWith('ERR_SSL_') || code === 'EPROTO') {
    return new AlterError('upstream_tls_failed', { detail: `${host}: TLS handshake failed (${code})`, rule: code, cause: error });
  }
  const detail = code === '' ? host : `${host}: ${code}`;
  return new AlterError(code === 'ETIMEDOUT' ? 'upstream_timeout' : 'upstream_unreachable', { detail, rule: code, cause: error });
}

/** The first code in an error; a failed happy-eyeballs attempt carries one for each address. */
function errorCode(error: Error): string {
  if ('code' in error && typeof error.code === 'string') return error.code;
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return errorCode(error.errors[0]);
  return '';
}
