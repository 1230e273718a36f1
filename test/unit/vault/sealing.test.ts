import { createDecipheriv } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import test from 'ava';
import { CompactEncrypt } from 'jose';
import type { RecordRef } from '../../../src/store/store.ts';
import { loadKeyring } from '../../../src/vault/keyring.ts';
import type { Keyring } from '../../../src/vault/keyring.ts';
import { RecordUnreadableError } from '../../../src/vault/record-unreadable.ts';
import { open, seal, sealedUnder } from '../../../src/vault/sealing.ts';
import { VALUE, VaultFixture } from '../../support/vault-fixture.ts';

const ref: RecordRef = { kind: 'secret', app: 'default', id: 'ms_1' };
const record = { id: 'ms_1', app: 'default', value: VALUE };

const fixture = new VaultFixture();
const { keyring } = fixture;
test.after.always(() => {
  fixture.remove();
});

async function reasonOf(action: Promise<unknown>): Promise<string> {
  try {
    await action;
    return 'opened';
  } catch (error) {
    if (!(error instanceof RecordUnreadableError)) throw error;
    return inspect(error, { depth: 9, showHidden: true }).includes(VALUE) ? 'an error with content' : error.reason;
  }
}

function rawKey(ring: Keyring, kid: string): Buffer {
  const { keys } = JSON.parse(readFileSync(ring.file, 'utf8')) as { keys: { kid: string; k: string }[] };
  return Buffer.from(keys.find((key) => key.kid === kid)?.k ?? '', 'base64url');
}

/** Seals as anybody with the key could, with a header of their own. */
function forge(header: Record<string, unknown>, payload: unknown = record): Promise<string> {
  const kid = keyring.activeKid('default');
  const honest = { alg: 'A256GCMKW', enc: 'A256GCM', kid, typ: 'alter-secret+jwe', sub: 'default:secret:ms_1', ver: 1 };
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
  return new CompactEncrypt(Buffer.from(text)).setProtectedHeader({ ...honest, ...header }).encrypt(rawKey(keyring, kid));
}

test('what is sealed opens at its own place', async (t) => {
  const jwe = await seal(keyring, ref, record);
  t.deepEqual(await open(keyring, ref, jwe), record);
  t.is(sealedUnder(jwe), keyring.activeKid('default'));
  t.false(jwe.includes(VALUE));
});

test('the protected header has exactly the agreed members', async (t) => {
  const jwe = await seal(keyring, ref, record);
  const { iv, tag, ...header } = JSON.parse(Buffer.from(jwe.split('.')[0] ?? '', 'base64url').toString()) as Record<string, unknown>;
  t.is(typeof iv, 'string');
  t.is(typeof tag, 'string');
  const kid = keyring.activeKid('default');
  t.deepEqual(header, { alg: 'A256GCMKW', enc: 'A256GCM', kid, typ: 'alter-secret+jwe', sub: 'default:secret:ms_1', ver: 1 });
});

test('plain AES-GCM of RFC 7516 and RFC 7518 opens it, without any of this code', async (t) => {
  const [head = '', wrapped = '', iv = '', ciphertext = '', tag = ''] = (await seal(keyring, ref, record)).split('.');
  const bytes = (text: string): Buffer => Buffer.from(text, 'base64url');
  const header = JSON.parse(bytes(head).toString()) as { kid: string; iv: string; tag: string };
  const unwrap = createDecipheriv('aes-256-gcm', rawKey(keyring, header.kid), bytes(header.iv)).setAuthTag(bytes(header.tag));
  const contentKey = Buffer.concat([unwrap.update(bytes(wrapped)), unwrap.final()]);
  const decipher = createDecipheriv('aes-256-gcm', contentKey, bytes(iv)).setAAD(Buffer.from(head)).setAuthTag(bytes(tag));
  t.deepEqual(JSON.parse(Buffer.concat([decipher.update(bytes(ciphertext)), decipher.final()]).toString()), record);
});

test('what another JOSE writer sealed in the same form opens', async (t) => {
  t.deepEqual(await open(keyring, ref, await forge({})), record);
  t.deepEqual(await open(keyring, ref, await forge({ cty: 'application/json' })), record);
});

test('a flipped byte anywhere is noticed', async (t) => {
  const jwe = await seal(keyring, ref, record);
  for (let at = 0; at < jwe.length; at += 7) {
    if (jwe[at] === '.') continue;
    // The highest bit of the six: the last character of a part may carry unused low bits.
    const flipped = jwe.slice(0, at) + (/[A-Z]/.test(jwe[at] ?? '') ? 'z' : 'A') + jwe.slice(at + 1);
    const reason = await reasonOf(open(keyring, ref, flipped));
    t.not(reason, 'opened', `byte ${String(at)}`);
  }
  const [head, key, iv, ciphertext = '', tag] = jwe.split('.');
  const other = ciphertext.startsWith('A') ? 'B' : 'A';
  t.is(await reasonOf(open(keyring, ref, [head, key, iv, other + ciphertext.slice(1), tag].join('.'))), 'bad_seal');
});

test('a record copied to another id, app or kind does not open', async (t) => {
  const jwe = await seal(keyring, ref, record);
  t.is(await reasonOf(open(keyring, { ...ref, id: 'ms_2' }, jwe)), 'wrong_ref');
  t.is(await reasonOf(open(keyring, { ...ref, app: 'other' }, jwe)), 'wrong_ref');
  t.is(await reasonOf(open(keyring, { ...ref, kind: 'grant' }, jwe)), 'wrong_kind');
  t.is(await reasonOf(open(keyring, { kind: 'key', id: 'ms_1' }, jwe)), 'wrong_kind');
});

test('a truncated record is told from a damaged one', async (t) => {
  const jwe = await seal(keyring, ref, record);
  for (const text of ['', 'x', jwe.slice(0, 40), jwe.slice(0, -30), jwe.slice(0, -1), `${jwe}.x`]) {
    t.is(await reasonOf(open(keyring, ref, text)), 'truncated', text.slice(-10));
  }
});

test('a kid that is not in the keyring is unknown, also when the file is gone', async (t) => {
  const other = new VaultFixture();
  const jwe = await seal(other.keyring, ref, record);
  t.is(await reasonOf(open(keyring, ref, jwe)), 'unknown_kid');
  t.is(await reasonOf(open(keyring, ref, await forge({ kid: 7 }))), 'unknown_kid');
  other.remove();
  const orphan = await forge({ kid: 'gone' });
  t.is(await reasonOf(open(other.keyring, ref, orphan)), 'unknown_kid');
});

test("a key of one app does not open another's records", async (t) => {
  const two = new VaultFixture();
  t.teardown(() => {
    two.remove();
  });
  two.keyring.add('other');
  const header = { kid: two.keyring.activeKid('other') };
  const forged = await new CompactEncrypt(Buffer.from(JSON.stringify(record)))
    .setProtectedHeader({ alg: 'A256GCMKW', enc: 'A256GCM', typ: 'alter-secret+jwe', sub: 'default:secret:ms_1', ver: 1, ...header })
    .encrypt(rawKey(two.keyring, header.kid));
  t.is(await reasonOf(open(two.keyring, ref, forged)), 'unknown_kid');

  const keyRef: RecordRef = { kind: 'key', id: 'k1' };
  const theirs = await seal(two.keyring, keyRef, { id: 'k1', app: 'other' });
  t.deepEqual(await open(two.keyring, keyRef, theirs), { id: 'k1', app: 'other' });
  const claimed = await new CompactEncrypt(Buffer.from(JSON.stringify({ id: 'k1', app: 'default' })))
    .setProtectedHeader({ alg: 'A256GCMKW', enc: 'A256GCM', typ: 'alter-key+jwe', sub: 'key:k1', ver: 1, ...header })
    .encrypt(rawKey(two.keyring, header.kid));
  t.is(await reasonOf(open(two.keyring, keyRef, claimed)), 'wrong_ref');
});

test('every member of the header is checked', async (t) => {
  t.is(await reasonOf(open(keyring, ref, await forge({ enc: 'A128CBC-HS256' }))), 'bad_seal');
  t.is(await reasonOf(open(keyring, ref, await forge({ alg: 'dir' }).catch(() => forge({ alg: 'A256KW' })))), 'bad_seal');
  t.is(await reasonOf(open(keyring, ref, await forge({ typ: 'JWE' }))), 'wrong_kind');
  t.is(await reasonOf(open(keyring, ref, await forge({ sub: 'default:secret:ms_2' }))), 'wrong_ref');
  t.is(await reasonOf(open(keyring, ref, await forge({ ver: 2 }))), 'newer_version');
  t.is(await reasonOf(open(keyring, ref, await forge({ ver: '1' }))), 'bad_shape');
  t.is(await reasonOf(open(keyring, ref, await forge({ ver: undefined }))), 'bad_shape');
});

test('compressed or critically extended headers are refused before anything is decrypted', async (t) => {
  const jwe = await seal(keyring, ref, record);
  const [head = '', ...rest] = jwe.split('.');
  for (const extra of [{ zip: 'DEF' }, { crit: ['x'], x: 1 }]) {
    const header = { ...(JSON.parse(Buffer.from(head, 'base64url').toString()) as object), ...extra };
    const forged = [Buffer.from(JSON.stringify(header)).toString('base64url'), ...rest].join('.');
    t.is(await reasonOf(open(keyring, ref, forged)), 'bad_seal');
  }
});

test('content that is no record of this place does not open, and is not quoted', async (t) => {
  t.is(await reasonOf(open(keyring, ref, await forge({}, `${VALUE} is not JSON`))), 'bad_shape');
  t.is(await reasonOf(open(keyring, ref, await forge({}, [VALUE]))), 'bad_shape');
  t.is(await reasonOf(open(keyring, ref, await forge({}, { id: 'ms_1', value: VALUE }))), 'bad_shape');
  t.is(await reasonOf(open(keyring, ref, await forge({}, { ...record, id: 'ms_2' }))), 'wrong_ref');
  t.is(await reasonOf(open(keyring, ref, await forge({}, { ...record, app: 'other' }))), 'wrong_ref');
});

test('a record is not sealed for a place where it does not belong', async (t) => {
  await t.throwsAsync(seal(keyring, { ...ref, id: 'ms_2' }, record), { message: /does not belong/ });
  await t.throwsAsync(seal(keyring, { ...ref, app: 'other' }, record), { message: /does not belong/ });
});

test('records sealed under an older key open after a new one was added, in a keyring that has not looked since', async (t) => {
  const own = new VaultFixture();
  t.teardown(() => {
    own.remove();
  });
  const proxy = loadKeyring(own.file);
  const old = await seal(own.keyring, ref, record);
  own.keyring.add('default');
  const fresh = await seal(own.keyring, ref, record);
  t.not(sealedUnder(old), sealedUnder(fresh));
  t.deepEqual(await open(proxy, ref, old), record);
  t.deepEqual(await open(proxy, ref, fresh), record);
});

test('sealedUnder says nothing of what is not a seal', (t) => {
  for (const text of ['', 'x.y', 'bnVsbA.x', 'e30.x']) t.is(sealedUnder(text), undefined);
});
