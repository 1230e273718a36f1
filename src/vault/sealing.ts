import { CompactEncrypt, compactDecrypt } from 'jose';
import { refText } from '../store/store.ts';
import type { RecordRef } from '../store/store.ts';
import type { Keyring } from './keyring.ts';
import { RecordUnreadableError } from './record-unreadable.ts';

/** Version of the seal, `ver` in the protected header. */
const SEAL_VERSION = 1;
/** An AES-GCM tag of 16 bytes in base64url. */
const TAG_LENGTH = 22;

type Header = Readonly<Record<string, unknown>>;

/** What every sealed record says of itself. */
export interface Sealable {
  readonly id: string;
  readonly app: string;
}

/**
 * Seals `record` for its place: a compact JWE (RFC 7516) under the active key of the record's app, with the kind in `typ` and the ref in
 * `sub`. Throws CommandError when the keyring has no active key for the app.
 */
export async function seal(keyring: Keyring, ref: RecordRef, record: Sealable): Promise<string> {
  if (record.id !== ref.id || (ref.kind !== 'key' && record.app !== ref.app))
    throw new Error(`the record does not belong at ${refText(ref)}`);
  const { kid, key } = keyring.sealingKey(record.app);
  return new CompactEncrypt(new TextEncoder().encode(JSON.stringify(record)))
    .setProtectedHeader({ alg: 'A256GCMKW', enc: 'A256GCM', kid, typ: typOf(ref), sub: refText(ref), ver: SEAL_VERSION })
    .encrypt(key);
}

/** Opens what was read at `ref`: an object with this ref's id and app. Rejects with {@link RecordUnreadableError}. */
export async function open(keyring: Keyring, ref: RecordRef, jwe: string): Promise<Sealable> {
  const place = refText(ref);
  const header = readHeader(place, jwe);
  checkHeader(place, ref, header);
  const { key, app } = await findKey(keyring, place, header['kid']);
  if (ref.kind !== 'key' && app !== ref.app) throw new RecordUnreadableError(place, 'unknown_kid');
  const record = parse(place, await decrypt(place, jwe, key));
  if (record.id !== ref.id || record.app !== app) throw new RecordUnreadableError(place, 'wrong_ref');
  return record;
}

/** The kid under which `jwe` says it was sealed; undefined when its header cannot be read. Not authenticated. */
export function sealedUnder(jwe: string): string | undefined {
  const kid = decodeHeader(jwe.split('.', 1)[0] ?? '')?.['kid'];
  return typeof kid === 'string' ? kid : undefined;
}

function typOf(ref: RecordRef): string {
  return `alter-${ref.kind}+jwe`;
}

function readHeader(place: string, jwe: string): Header {
  const parts = jwe.split('.');
  if (parts.length !== 5 || parts[4]?.length !== TAG_LENGTH) throw new RecordUnreadableError(place, 'truncated');
  const header = decodeHeader(parts[0] ?? '');
  if (header === undefined) throw new RecordUnreadableError(place, 'bad_seal');
  return header;
}

function decodeHeader(part: string): Header | undefined {
  try {
    const header: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof header === 'object' && header !== null ? (header as Header) : undefined;
  } catch {
    return undefined;
  }
}

function checkHeader(place: string, ref: RecordRef, header: Header): void {
  if (header['alg'] !== 'A256GCMKW' || header['enc'] !== 'A256GCM')
    throw new RecordUnreadableError(place, 'bad_seal', { member: 'alg or enc' });
  if ('zip' in header || 'crit' in header) throw new RecordUnreadableError(place, 'bad_seal', { member: 'zip or crit' });
  if (header['typ'] !== typOf(ref)) throw new RecordUnreadableError(place, 'wrong_kind');
  if (header['sub'] !== place) throw new RecordUnreadableError(place, 'wrong_ref');
  const version = header['ver'];
  if (version === SEAL_VERSION) return;
  const newer = typeof version === 'number' && version > SEAL_VERSION;
  throw new RecordUnreadableError(place, newer ? 'newer_version' : 'bad_shape', { member: 'ver' });
}

async function findKey(keyring: Keyring, place: string, kid: unknown): Promise<NonNullable<Awaited<ReturnType<Keyring['openingKey']>>>> {
  let key;
  try {
    key = typeof kid === 'string' ? await keyring.openingKey(kid) : undefined;
  } catch (cause) {
    throw new RecordUnreadableError(place, 'unknown_kid', { cause });
  }
  if (key === undefined) throw new RecordUnreadableError(place, 'unknown_kid');
  return key;
}

async function decrypt(place: string, jwe: string, key: Parameters<typeof compactDecrypt>[1]): Promise<Uint8Array> {
  try {
    const options = { keyManagementAlgorithms: ['A256GCMKW'], contentEncryptionAlgorithms: ['A256GCM'] };
    return (await compactDecrypt(jwe, key, options)).plaintext;
  } catch (cause) {
    throw new RecordUnreadableError(place, 'bad_seal', { cause });
  }
}

function parse(place: string, plaintext: Uint8Array): Sealable {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(plaintext));
  } catch {
    // The parser's own message quotes the text, and the text holds the credential.
    throw new RecordUnreadableError(place, 'bad_shape');
  }
  if (!isSealable(value)) throw new RecordUnreadableError(place, 'bad_shape', { member: 'id or app' });
  return value;
}

function isSealable(value: unknown): value is Sealable {
  return (
    typeof value === 'object' &&
    value !== null &&
    'id' in value &&
    'app' in value &&
    typeof value.id === 'string' &&
    typeof value.app === 'string'
  );
}
