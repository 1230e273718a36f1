/**
 * Contract: keys are fetched once for all who wait and kept; a new kid makes the proxy ask again, but not without end; an identity provider that
 * fails is left alone for a while, and denies when its keys are too old.
 */
import test from 'ava';
import { IdpKeys } from '../../../src/principals/idp-keys.ts';
import { idpRecord, makeSigningKey } from '../../support/idp-keys.ts';
import { codeOf } from '../../support/vault-fixture.ts';

const JWKS = 'https://login.corp.test/jwks';
const METADATA = 'https://login.corp.test/.well-known/openid-configuration';

interface Site {
  readonly documents: Map<string, string>;
  readonly fetched: string[];
  now: number;
  readonly keys: IdpKeys;
}

async function site(): Promise<Site> {
  const key = await makeSigningKey('one');
  const documents = new Map([[JWKS, JSON.stringify({ keys: [key.publicJwk] })]]);
  const fetched: string[] = [];
  const fetch = async (url: string): Promise<string> => {
    fetched.push(url);
    await Promise.resolve();
    const found = documents.get(url);
    if (found === undefined) throw new Error('down');
    return found;
  };
  const made: Site = { documents, fetched, now: 0, keys: new IdpKeys({ fetch, now: () => made.now }) };
  return made;
}

test('keys are read once for all who wait, then served without a promise', async (t) => {
  const s = await site();
  const idp = idpRecord();
  await Promise.all([s.keys.keysOf(idp), s.keys.keysOf(idp), s.keys.keysOf(idp)]);
  t.deepEqual(s.fetched, [JWKS]);
  t.false(s.keys.keysOf(idp) instanceof Promise);
  s.now = 299_999;
  t.false(s.keys.keysOf(idp) instanceof Promise);
  t.is(s.fetched.length, 1);
});

test('after five minutes they are read again before they serve', async (t) => {
  const s = await site();
  const idp = idpRecord();
  const first = await s.keys.keysOf(idp);
  s.now = 300_000;
  const [one, two] = await Promise.all([s.keys.keysOf(idp), s.keys.keysOf(idp)]);
  t.not(one, first);
  t.is(one, two);
  t.is(s.fetched.length, 2);
});

test('an unknown kid makes it ask again, at most every five seconds', async (t) => {
  const s = await site();
  const idp = idpRecord();
  await s.keys.keysOf(idp);
  t.is(s.keys.newerKeysOf(idp), undefined);
  s.now = 4999;
  t.is(s.keys.newerKeysOf(idp), undefined);
  s.now = 5000;
  await Promise.all([s.keys.newerKeysOf(idp), s.keys.newerKeysOf(idp)]);
  t.is(s.fetched.length, 2);
  t.is(s.keys.newerKeysOf(idp), undefined);
});

test('an identity provider that fails is left alone for longer and longer', async (t) => {
  const s = await site();
  s.documents.clear();
  const idp = idpRecord();
  const code = (): Promise<string> => codeOf(() => s.keys.keysOf(idp));
  t.is(await code(), 'idp_unavailable');
  s.now = 999;
  t.is(await code(), 'idp_unavailable');
  t.is(s.fetched.length, 1);
  s.now = 1000;
  t.is(await code(), 'idp_unavailable');
  t.is(s.fetched.length, 2);
  s.now = 2999;
  t.is(await code(), 'idp_unavailable');
  t.is(s.fetched.length, 2);
  for (let i = 0; i < 20; i++) {
    s.now += 60_000;
    t.is(await code(), 'idp_unavailable');
  }
  t.is(s.fetched.length, 22);
});

test('old keys serve on for a quarter of an hour, and no longer', async (t) => {
  const s = await site();
  const idp = idpRecord();
  const first = await s.keys.keysOf(idp);
  s.documents.clear();
  s.now = 899_999;
  t.is(await s.keys.keysOf(idp), first);
  s.now = 900_000 + 60_000;
  t.is(await codeOf(() => s.keys.keysOf(idp)), 'idp_unavailable');
});

test('while it is down, a key that is not known is not known to be wrong', async (t) => {
  const s = await site();
  const idp = idpRecord();
  await s.keys.keysOf(idp);
  s.documents.clear();
  s.now = 20_000;
  t.is(await codeOf(() => s.keys.newerKeysOf(idp)), 'idp_unavailable');
  t.is(await codeOf(() => s.keys.newerKeysOf(idp)), 'idp_unavailable');
  t.is(s.fetched.length, 2);
});

test('a changed record begins anew', async (t) => {
  const s = await site();
  const other = 'https://login.corp.test/other';
  s.documents.set(other, s.documents.get(JWKS) ?? '');
  await s.keys.keysOf(idpRecord());
  await s.keys.keysOf(idpRecord({ jwks: { kind: 'url', url: other } }));
  t.deepEqual(s.fetched, [JWKS, other]);
});

test('keys that were stored are never fetched', async (t) => {
  const s = await site();
  const { publicJwk } = await makeSigningKey('one');
  const idp = idpRecord({ jwks: { kind: 'inline', keys: [publicJwk] } });
  t.false(s.keys.keysOf(idp) instanceof Promise);
  s.now = 1e9;
  t.false(s.keys.keysOf(idp) instanceof Promise);
  t.is(s.keys.newerKeysOf(idp), undefined);
  t.deepEqual(s.fetched, []);
});

test('discovery asks the issuer, which must name itself and a place with https', async (t) => {
  const metadata = { issuer: 'https://login.corp.test', jwks_uri: JWKS };
  const idp = idpRecord({ jwks: { kind: 'discovery' } });
  const code = async (document: unknown): Promise<string> => {
    const s = await site();
    s.documents.set(METADATA, typeof document === 'string' ? document : JSON.stringify(document));
    return codeOf(() => s.keys.keysOf(idp));
  };
  t.is(await code(metadata), 'none');
  for (const wrong of [
    { ...metadata, issuer: 'https://login.corp.test/' },
    { ...metadata, issuer: 'https://evil.test' },
    { ...metadata, jwks_uri: 'http://login.corp.test/jwks' },
    { issuer: metadata.issuer },
    [],
    null,
    'not json',
  ]) {
    t.is(await code(wrong), 'idp_unavailable', JSON.stringify(wrong));
  }
});

test('what is no JWKS is no answer', async (t) => {
  for (const wrong of ['', '[]', '{}', '{"keys":{}}', 'null', '<html>']) {
    const s = await site();
    s.documents.set(JWKS, wrong);
    t.is(await codeOf(() => s.keys.keysOf(idpRecord())), 'idp_unavailable', wrong);
  }
});
