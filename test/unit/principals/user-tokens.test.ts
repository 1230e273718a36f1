/** Contract: a token speaks for its subject only when everything about it is right; a warm one costs no promise. */
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import test from 'ava';
import { SignJWT, UnsecuredJWT } from 'jose';
import { IdpKeys } from '../../../src/principals/idp-keys.ts';
import { AlterError } from '../../../src/errors.ts';
import { UserTokens, type IdpSource } from '../../../src/principals/user-tokens.ts';
import type { IdpRecord } from '../../../src/vault/records.ts';
import { idpRecord, makeSigningKey } from '../../support/idp-keys.ts';
import type { SigningKey } from '../../support/idp-keys.ts';
import { codeOf } from '../../support/vault-fixture.ts';

const NOW_S = 1_790_000_000;

interface Desk {
  readonly key: SigningKey;
  readonly idps: IdpRecord[];
  readonly published: SigningKey[];
  nowS: number;
  /** How the store gives the record of an identity provider. */
  found: IdpSource['findIdp'];
  readonly tokens: UserTokens;
  readonly claims: Readonly<Record<string, unknown>>;
  code(token: string | Promise<string> | undefined): Promise<string>;
}

async function desk(idp: Partial<IdpRecord> = {}): Promise<Desk> {
  const key = await makeSigningKey('one');
  const idps = [idpRecord(idp)];
  const published = [key];
  const made: Desk = {
    key,
    idps,
    published,
    nowS: NOW_S,
    found: (app, slug) => idps.find((record) => record.app === app && record.id === slug),
    claims: { iss: 'https://login.corp.test', aud: 'my-app', sub: 'alice', exp: NOW_S + 300, groups: ['sales'] },
    tokens: new UserTokens({
      idps: {
        findIdp: (app, slug) => made.found(app, slug),
        idpsOfIssuer: (app, issuer) => idps.filter((record) => record.app === app && record.issuer === issuer),
      },
      keys: new IdpKeys({
        fetch: () => Promise.resolve(JSON.stringify({ keys: published.map(({ publicJwk }) => publicJwk) })),
        now: () => made.nowS * 1000,
      }),
      maxTokens: 100,
      now: () => made.nowS * 1000,
    }),
    code: async (token) => {
      const text = await token;
      return codeOf(() => made.tokens.userOf('default', text));
    },
  };
  return made;
}

test('a token speaks for its subject and its groups, without a promise when it is warm', async (t) => {
  const d = await desk();
  const token = await d.key.sign(d.claims);
  const user = await d.tokens.userOf('default', token);
  t.deepEqual(user, { app: 'default', idp: 'corp', subject: 'alice', groups: new Set(['sales']) });
  t.is(d.tokens.userOf('default', token), user);
});

test('no token is no user', async (t) => {
  const d = await desk();
  t.is(await d.code(undefined), 'user_token_required');
});

test('issuer and audience are the ones of the identity provider, exactly', async (t) => {
  const d = await desk({ audiences: ['my-app', 'my-api'] });
  for (const aud of ['my-app', 'my-api', ['other', 'my-api']]) t.is(await d.code(d.key.sign({ ...d.claims, aud })), 'none', String(aud));
  for (const aud of ['my-app2', 'My-App', '', [], ['other'], undefined]) {
    t.is(await d.code(d.key.sign({ ...d.claims, aud } as never)), 'user_token_invalid:token_audience', String(aud));
  }
  for (const iss of ['https://login.corp.test/', 'https://login.corp.test.evil.test', 'HTTPS://login.corp.test', undefined]) {
    t.is(await d.code(d.key.sign({ ...d.claims, iss } as never)), 'user_token_invalid:token_issuer', iss);
  }
});

test('a token ends 30 seconds after its expiry and begins 30 seconds before its time', async (t) => {
  const d = await desk();
  const code = (claims: object): Promise<string> => d.code(d.key.sign({ ...d.claims, ...claims }));
  t.is(await code({ exp: NOW_S - 29 }), 'none');
  t.is(await code({ exp: NOW_S - 30 }), 'user_token_invalid:token_expired');
  t.is(await code({ nbf: NOW_S + 30 }), 'none');
  t.is(await code({ nbf: NOW_S + 31 }), 'user_token_invalid:token_not_yet_valid');
  t.is(await code({ exp: undefined }), 'user_token_invalid:token_without_expiry');
  t.is(await code({ exp: '1790000300' }), 'user_token_invalid:token_without_expiry');
});

test('a warm token ends at its time, too', async (t) => {
  const d = await desk();
  const token = await d.key.sign({ ...d.claims, exp: NOW_S + 10 });
  t.is(await d.code(token), 'none');
  d.nowS = NOW_S + 39;
  t.is(await d.code(token), 'none');
  d.nowS = NOW_S + 40;
  t.is(await d.code(token), 'user_token_invalid:token_expired');
});

test('a warm token is verified again when the identity provider was changed or deleted', async (t) => {
  const d = await desk();
  const token = await d.key.sign(d.claims);
  t.is(await d.code(token), 'none');
  d.idps[0] = idpRecord({ audiences: ['another'] });
  t.is(await d.code(token), 'user_token_invalid:token_audience');
  d.idps[0] = idpRecord();
  t.is(await d.code(token), 'none');
  d.idps.length = 0;
  t.is(await d.code(token), 'user_token_invalid:token_issuer');
});

test('a warm token whose identity provider must be read anew waits for it, and speaks on when nothing has changed', async (t) => {
  const d = await desk();
  const token = await d.key.sign(d.claims);
  const user = await d.tokens.userOf('default', token);
  d.found = () => Promise.resolve(d.idps[0]);
  d.published.length = 0;
  t.is(await d.tokens.userOf('default', token), user);
});

// A rejection that nobody hears of would end this process, and with it the test.
test('a warm token while the store fails is refused by that failure', async (t) => {
  const d = await desk();
  const token = await d.key.sign(d.claims);
  t.is(await d.code(token), 'none');
  d.found = () => Promise.reject(new AlterError('store_unavailable'));
  t.is(await d.code(token), 'store_unavailable');
});

test('only the algorithms of the list are taken: not none, not a MAC with the public key, not another one', async (t) => {
  const d = await desk({ algorithms: ['ES256'] });
  t.is(await d.code(new UnsecuredJWT(d.claims).encode()), 'user_token_invalid:token_algorithm');
  const pem = createPublicKey({ key: d.key.publicJwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString();
  for (const secret of [pem, JSON.stringify(d.key.publicJwk)]) {
    const mac = new SignJWT(d.claims).setProtectedHeader({ alg: 'HS256', kid: 'one', typ: 'JWT' }).sign(Buffer.from(secret));
    t.is(await d.code(mac), 'user_token_invalid:token_algorithm');
  }
  const rsa = await makeSigningKey('two', 'RS256');
  d.published.push(rsa);
  t.is(await d.code(rsa.sign(d.claims)), 'user_token_invalid:token_algorithm');
  d.idps[0] = idpRecord({ algorithms: ['ES256', 'RS256'] });
  t.is(await d.code(rsa.sign(d.claims)), 'none');
});

test('a signature by another key, and a token that was changed, are refused', async (t) => {
  const d = await desk();
  const stranger = await makeSigningKey('one');
  t.is(await d.code(stranger.sign(d.claims)), 'user_token_invalid:token_signature');
  const embedded = stranger.sign(d.claims, { jwk: stranger.publicJwk, jku: 'https://evil.test/jwks' });
  t.is(await d.code(embedded), 'user_token_invalid:token_signature');
  const [header = '', , signature = ''] = (await d.key.sign(d.claims)).split('.');
  const body = Buffer.from(JSON.stringify({ ...d.claims, sub: 'bob' })).toString('base64url');
  t.is(await d.code(`${header}.${body}.${signature}`), 'user_token_invalid:token_signature');
  const [known = '', claims = ''] = (await d.key.sign(d.claims)).split('.');
  t.is(await d.code(`${known}.${claims}.`), 'user_token_invalid:token_signature');
});

test('a new key of the identity provider is found, and one that it withdrew is forgotten', async (t) => {
  const d = await desk();
  const token = await d.key.sign(d.claims);
  t.is(await d.code(token), 'none');
  const next = await makeSigningKey('two');
  d.published.splice(0, 1, next);
  t.is(await d.code(next.sign(d.claims)), 'user_token_invalid:token_key');
  d.nowS += 5;
  t.is(await d.code(next.sign(d.claims)), 'none');
  t.is(await d.code(d.key.sign({ ...d.claims, jti: 'x' })), 'user_token_invalid:token_key');
  t.is(await d.code(token), 'none');
  d.nowS += 55;
  t.is(await d.code(token), 'user_token_invalid:token_key');
});

test('a token without kid is taken when only one key fits', async (t) => {
  const d = await desk();
  t.is(await d.code(d.key.sign(d.claims, { kid: undefined })), 'none');
  const other = await desk();
  other.published.push(await makeSigningKey('two'));
  t.is(await other.code(other.key.sign(other.claims, { kid: undefined })), 'user_token_invalid:token_key');
});

test('a key that cannot be used is a fault of the identity provider', async (t) => {
  const d = await desk();
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const weak = { ...publicKey.export({ format: 'jwk' }), kid: 'one' };
  d.published.splice(0, 1, { ...d.key, publicJwk: weak });
  const rsa = await makeSigningKey('one', 'RS256');
  t.is(await d.code(rsa.sign(d.claims)), 'idp_unavailable');
});

test('a JWT that was made for another purpose is no user token', async (t) => {
  const d = await desk();
  for (const typ of ['JWT', 'jwt', 'at+jwt', 'application/at+jwt', undefined])
    t.is(await d.code(d.key.sign(d.claims, { typ })), 'none', typ);
  for (const typ of ['logout+jwt', 'dpop+jwt', 'secevent+jwt', '', 7]) {
    t.is(await d.code(d.key.sign(d.claims, { typ })), 'user_token_invalid:token_type', String(typ));
  }
});

test('what is no JWT is refused', async (t) => {
  const d = await desk();
  for (const text of ['', 'x', 'a.b.c', 'a.b.c.d.e', `${await d.key.sign(d.claims)}.x`, `${await d.key.sign(d.claims)}=`]) {
    t.regex(await d.code(text), /^user_token_invalid:token_(malformed|signature)$/, text);
  }
  t.is(await d.code(`${await d.key.sign(d.claims)}${'x'.repeat(16_384)}`), 'user_token_invalid:token_too_long');
});

test('the subject is one text that can be shown', async (t) => {
  const d = await desk();
  for (const sub of [undefined, '', 7, ['alice'], 'a\nb', 'a\u0000b', 'x'.repeat(257)]) {
    t.is(await d.code(d.key.sign({ ...d.claims, sub } as never)), 'user_token_invalid:token_subject', String(sub));
  }
});

test('subject and groups stand where the record says', async (t) => {
  const d = await desk({ subjectClaim: 'user.id', groupsClaim: 'realm_access.roles' });
  const token = await d.key.sign({ ...d.claims, user: { id: 'u-7' }, realm_access: { roles: ['admin'] } });
  t.like(await d.tokens.userOf('default', token), { subject: 'u-7', groups: new Set(['admin']) });
});

test("another app's identity provider verifies nothing for this one, and a warm token stays with its app", async (t) => {
  const d = await desk();
  const token = await d.key.sign(d.claims);
  t.is(await d.code(token), 'none');
  t.is(await codeOf(() => d.tokens.userOf('other', token)), 'user_token_invalid:token_issuer');
  d.idps[0] = idpRecord({ app: 'other' });
  t.is(await d.code(token), 'user_token_invalid:token_issuer');
});

test('two identity providers with one issuer: there is no telling whose token it is', async (t) => {
  const d = await desk();
  d.idps.push(idpRecord({ id: 'twin' }));
  t.is(await d.code(d.key.sign(d.claims)), 'user_token_invalid:token_issuer');
});
