/**
 * Contract (invariant 6): whatever fails, the request is refused with the code in this table, nothing reaches the API, and once the cause is
 * mended the same request passes again. The near miss of every row is the request before and after it.
 */
import net from 'node:net';
import { once } from 'node:events';
import test from 'ava';
import type { WireCode } from '../../src/errors.ts';
import { fingerprint, mintKey } from '../../src/vault/fingerprint.ts';
import { reveal } from '../../src/secret/reveal.ts';
import { Secret } from '../../src/secret/secret.ts';
import type { RecordRef } from '../../src/store/store.ts';
import { publicKeysOf } from '../../src/vault/idps.ts';
import { createKeyring } from '../../src/vault/keyring.ts';
import { open, seal } from '../../src/vault/sealing.ts';
import { ConnectRefused, problemCode, requestThrough } from '../support/client.ts';
import type { ClientAnswer } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { makeSigningKey } from '../support/idp-keys.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';
import { startScene, type Scene } from '../support/scene.ts';

const PATIENCE_MS = 10_000;
const ISSUER = 'https://id.corp.test';
/** Looks like a token of that issuer; whether it is one, only the issuer's keys can say. A grant of the app does not look at it. */
const USER_TOKEN = [
  { alg: 'ES256', kid: 'k1' },
  { iss: ISSUER, aud: 'alter', sub: 'alice', exp: 4_102_444_800 },
]
  .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
  .concat('c2lnbmF0dXJl')
  .join('.');
const PERSISTENT = { config: ['appendonly yes', 'appendfsync always'] };

let redis: RedisServer;
let scene: Scene;
test.before(async () => {
  redis = await startRedis(PERSISTENT);
  scene = await startScene({ config: { store: { kind: 'redis', url: redis.url, command_timeout_ms: 500 } } });
});
test.after.always(async () => {
  await scene.stop();
  await redis.stop();
});

/** What a row breaks: a grant of its own, and its secret. */
interface Target {
  readonly grant: RecordRef;
  readonly secret: RecordRef;
}

/** Breaks something; what it returns mends it. */
type Breakage = (target: Target) => Promise<() => unknown>;

interface Row {
  readonly what: string;
  readonly code: WireCode;
  readonly status: number;
  /** Rule in the problem document, if it has one. */
  readonly rule?: string;
  readonly provoke: Breakage;
}

const row = (what: string, status: number, code: WireCode, provoke: Breakage, rule?: string): Row => ({
  what,
  status,
  code,
  provoke,
  ...(rule === undefined ? {} : { rule }),
});

/** Puts `text` in the place of a record. */
async function plant(ref: RecordRef, text: string | undefined): Promise<() => unknown> {
  const good = await scene.proxy.store.get(ref);
  if (!(await scene.proxy.store.put(ref, good, text))) throw new Error('the record was changed meanwhile');
  return () => scene.proxy.store.put(ref, text, good);
}

/** Seals a changed record, as a newer version of this program, or somebody with the master key, could. */
async function reseal(ref: RecordRef, changes: Readonly<Record<string, unknown>>): Promise<() => unknown> {
  const record = await open(scene.proxy.keyring, ref, (await scene.proxy.store.get(ref)) ?? '');
  return plant(ref, await seal(scene.proxy.keyring, ref, { ...record, ...changes }));
}

async function textAt(ref: RecordRef): Promise<string> {
  return (await scene.proxy.store.get(ref)) ?? '';
}

/** The record under the key of a keyring that the proxy does not have. */
async function sealedElsewhere(ref: RecordRef): Promise<() => unknown> {
  const record = await open(scene.proxy.keyring, ref, await textAt(ref));
  const other = createKeyring(`${scene.proxy.home}/other-${ref.id}/keyring.json`, 'default');
  return plant(ref, await seal(other, ref, record));
}

const UNREADABLE = 'record_unreadable';

const RECORDS: readonly Row[] = [
  row('a grant of garbage', 404, 'grant_not_found', ({ grant }) => plant(grant, 'garbage'), UNREADABLE),
  row('a grant that is empty', 404, 'grant_not_found', ({ grant }) => plant(grant, ''), UNREADABLE),
  row('a grant cut short', 404, 'grant_not_found', async ({ grant }) => plant(grant, (await textAt(grant)).slice(0, -10)), UNREADABLE),
  row("another grant's record", 404, 'grant_not_found', async ({ grant }) => plant(grant, await textAt(await otherGrant())), UNREADABLE),
  row(
    'a secret in the place of a grant',
    404,
    'grant_not_found',
    async ({ grant, secret }) => plant(grant, await textAt(secret)),
    UNREADABLE,
  ),
  row('a grant that is gone', 404, 'grant_not_found', ({ grant }) => plant(grant, undefined)),
  row('a grant of a newer version', 404, 'grant_not_found', ({ grant }) => reseal(grant, { v: 2 }), UNREADABLE),
  row('a status that is not known', 404, 'grant_not_found', ({ grant }) => reseal(grant, { status: 'resting' }), UNREADABLE),
  row('a grant under a kid that the keyring lacks', 404, 'grant_not_found', ({ grant }) => sealedElsewhere(grant), UNREADABLE),
  row('a secret under a kid that the keyring lacks', 404, 'grant_not_found', ({ secret }) => sealedElsewhere(secret), UNREADABLE),
  row('a secret of garbage', 404, 'grant_not_found', ({ secret }) => plant(secret, 'garbage'), UNREADABLE),
  row('a secret that is gone', 410, 'credential_revoked', ({ secret }) => plant(secret, undefined)),
  row(
    'a provider that nobody knows',
    404,
    'grant_not_found',
    ({ secret }) => reseal(secret, { provider: 'unheard-of' }),
    'provider_unknown',
  ),
  row('fields that do not fit the provider', 404, 'grant_not_found', ({ secret }) => reseal(secret, { fields: {} }), 'provider_mismatch'),
  row(
    'a kind of principal of a newer version',
    404,
    'grant_not_found',
    ({ grant }) => reseal(grant, { principal: { type: 'robot' } }),
    UNREADABLE,
  ),
  row('a principal that is not the caller', 403, 'principal_mismatch', ({ grant }) =>
    reseal(grant, { principal: { type: 'agent', agent: 'somebody' } }),
  ),
  row('keys of the identity provider that cannot be fetched', 503, 'idp_unavailable', async ({ grant }) => {
    const { idps } = scene.proxy.administration;
    // Nothing listens there.
    await idps.add({ slug: 'corp', issuer: ISSUER, audiences: ['alter'], jwks: { kind: 'url', url: 'https://localhost:1/keys' } });
    return reseal(grant, { principal: { type: 'user', idp: 'corp', subject: 'alice' } });
  }),
  row('a policy that is no list', 404, 'grant_not_found', ({ grant }) => reseal(grant, { policy: 'everything' }), UNREADABLE),
  row(
    'a kind of rule of a newer version',
    503,
    'policy_unavailable',
    ({ grant }) => reseal(grant, { policy: [{ kind: 'moon_phase', allow: ['full'] }] }),
    'moon_phase',
  ),
  row(
    'a rule that cannot be decoded',
    503,
    'policy_unavailable',
    ({ grant }) => reseal(grant, { policy: [{ kind: 'methods', allow: ['every one'] }] }),
    'methods',
  ),
  row(
    'a member of a rule that is not known, as it might restrict',
    503,
    'policy_unavailable',
    ({ grant }) => reseal(grant, { policy: [{ kind: 'methods', allow: ['GET'], except: ['GET'] }] }),
    'methods',
  ),
  row(
    "a clock before the grant's creation",
    503,
    'policy_unavailable',
    ({ grant }) => reseal(grant, { createdAt: Date.now() + 3_600_000 }),
    'clock',
  ),
  row('a key record of garbage', 407, 'invalid_key', () => plant(keyRef(), 'garbage')),
  row('a key record of a newer version', 407, 'invalid_key', () => reseal(keyRef(), { v: 2 })),
  row('a key record that is gone', 407, 'invalid_key', () => plant(keyRef(), undefined)),
  row('a value that is no text', 503, 'store_unavailable', ({ grant }) => otherType(grant)),
];

/** These last until they are mended, and stop the tests' own hands in the store, too. */
const STORE: readonly Row[] = [
  row('a store that does not answer', 503, 'store_unavailable', () => {
    redis.pause();
    return Promise.resolve(() => redis.resume());
  }),
  row('a store that is down', 503, 'store_unavailable', async () => {
    await redis.kill();
    return () => redis.restart();
  }),
];

for (const { what, status, code, rule, provoke } of [...RECORDS, ...STORE]) {
  test.serial(`${what} denies: ${String(status)} ${code}`, async (t) => {
    const id = await scene.grant();
    const { secretId } = await scene.proxy.administration.showGrant(id);
    const target: Target = { grant: { kind: 'grant', app: 'default', id }, secret: { kind: 'secret', app: 'default', id: secretId } };
    t.is((await get(id)).status, 200, 'before');
    const mend = await provoke(target);
    const refused = await eventually(
      async () => {
        const answer = await get(id);
        return answer.status === 200 ? undefined : answer;
      },
      'a refusal',
      PATIENCE_MS,
    );
    const seen = scene.origin.requests.length;
    const again = await get(id);
    t.is(scene.origin.requests.length, seen, 'nothing reaches the API');
    for (const answer of [refused, again]) {
      t.is(`${String(answer.status)} ${problemCode(answer)}`, `${String(status)} ${code}`);
      t.is((JSON.parse(answer.body) as { readonly rule?: string }).rule, rule);
    }
    await mend();
    await eventually(async () => ((await get(id)).status === 200 ? true : undefined), 'it to pass again', PATIENCE_MS);
  });
}

test('an audit that cannot be written any more denies: 503 audit_unavailable', async (t) => {
  const own = await startRedis(PERSISTENT);
  const config = { store: { kind: 'redis', url: own.url }, audit: { max_queue: 2 }, cache: { max_stale_ms: 60_000 } };
  const other = await startScene({ config });
  const grant = await other.grant();
  const ask = (): Promise<ClientAnswer> => requestThrough(other.proxy, { url: `${other.origin.url}/echo`, grant });
  t.is((await ask()).status, 200, 'before');
  own.pause();
  const refused = await eventually(
    async () => {
      const answer = await ask();
      return answer.status === 200 ? undefined : answer;
    },
    'a refusal',
    PATIENCE_MS,
  );
  t.is(`${String(refused.status)} ${problemCode(refused)}`, '503 audit_unavailable');
  own.resume();
  await eventually(async () => ((await ask()).status === 200 ? true : undefined), 'it to pass again', PATIENCE_MS);
  await other.stop();
  await own.stop();
});

// The run's own key needs no store, so that the token is the first of which the store is asked.
test('a user token that was good a moment ago is refused when the store is down: 503 store_unavailable', async (t) => {
  const own = await startRedis();
  t.teardown(() => own.stop());
  const { key: runKey } = mintKey('app');
  const other = await startScene({ config: { store: { kind: 'redis', url: own.url } }, runKey });
  t.teardown(() => other.stop());
  const signing = await makeSigningKey('k1');
  const jwks = publicKeysOf({ keys: [signing.publicJwk] });
  await other.proxy.administration.idps.add({ slug: 'corp', issuer: ISSUER, audiences: ['alter'], jwks });
  const token = await signing.sign({ iss: ISSUER, aud: 'alter', sub: 'alice', exp: 4_102_444_800 });
  const headers = ['X-Alter-Provider', 'custom-bearer', 'X-Alter-User-Token', token];
  const ask = async (): Promise<string | undefined> =>
    problemCode(await requestThrough(other.proxy, { url: `${other.origin.url}/echo`, key: reveal(runKey), headers }));
  await eventually(async () => ((await ask()) === 'grant_not_found' ? true : undefined), 'the token to be good', PATIENCE_MS);
  await own.kill();
  t.is(await ask(), 'store_unavailable');
  await own.restart();
  await eventually(async () => ((await ask()) === 'user_token_invalid' ? true : undefined), 'the empty store to answer', PATIENCE_MS);
});

/** The answer to the request, or to the CONNECT before it. */
async function get(grant: string): Promise<ClientAnswer> {
  try {
    const headers = ['X-Alter-User-Token', USER_TOKEN];
    return await requestThrough(scene.proxy, { url: `${scene.origin.url}/echo`, grant, headers });
  } catch (error) {
    if (error instanceof ConnectRefused) return error.answer;
    throw error;
  }
}

async function otherGrant(): Promise<RecordRef> {
  return { kind: 'grant', app: 'default', id: await scene.grant() };
}

/** The record of the proxy's own key. */
function keyRef(): RecordRef {
  return { kind: 'key', id: fingerprint(new Secret(scene.proxy.key)) ?? '' };
}

/** Makes the value a list. */
async function otherType(ref: RecordRef): Promise<() => unknown> {
  const good = await textAt(ref);
  const key = `alter:default:${ref.kind}:${ref.id}`;
  await redisSays([`DEL ${key}`, `RPUSH ${key} garbage`]);
  return async () => redisSays([`DEL ${key}`, `SET ${key} ${good}`]);
}

/** Sends inline commands (Redis protocol specification, "Inline commands") and waits for their answers. */
async function redisSays(commands: readonly string[]): Promise<void> {
  const socket = net.connect(redis.port, '127.0.0.1');
  socket.end([...commands, 'QUIT', ''].join('\r\n'));
  socket.resume();
  await once(socket, 'close');
}
