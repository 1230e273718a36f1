/**
 * Contract: with exactly the rights that docs/security.md gives the proxy's user of Redis everything works that is on by default, and a right that
 * is missing is named.
 */
import test from 'ava';
import { reveal } from '../../src/secret/reveal.ts';
import { requestThrough } from '../support/client.ts';
import { DEFAULT_RIGHTS, READING_RIGHTS, restrictedRedis } from '../support/documented-rights.ts';
import { eventually } from '../support/eventually.ts';
import { callOwn, type OwnCall } from '../support/own-endpoint.ts';
import { startScene } from '../support/scene.ts';
import { newHome, started } from '../support/started.ts';

/** What the log says when the selector is missing, in the order of the documentation. */
const NAMED = [
  /Give .* \+get \+set \+del on alter:default:grant:/,
  /Give .* \+zadd on alter:default:index:grant/,
  /Give .* \+pttl .*\+incr on alter:default:rate:/,
];

test('agents get grants and use them with the documented rights, and the log names the one that is missing', async (t) => {
  const { url, restrict } = await restrictedRedis(t);
  const { proxy, origin, grant, stop } = await startScene({ config: { store: { kind: 'redis', url } } });
  t.teardown(stop);
  const { administration } = proxy;
  await administration.agents.create({ name: 'bot' });
  const key = reveal((await administration.createKey({ name: 'bot', agent: 'bot' })).key);
  const { secretId } = await administration.showGrant(await grant());
  await administration.allowAgent('bot', secretId);
  const ask = (call: Omit<OwnCall, 'key'>) => callOwn(proxy, { key, ...call });
  const use = async (id: unknown) => (await requestThrough(proxy, { url: `${origin.url}/echo`, grant: String(id), key })).status;
  const body = { secret: secretId, label: 'x' };

  await restrict(...DEFAULT_RIGHTS);
  const issued = await ask({ body });
  t.is(issued.status, 201, issued.body);
  t.is((await ask({ body })).status, 200);
  t.is((await ask({ method: 'GET' })).status, 200);
  t.is(await use(issued.document['id']), 200);

  const selectors = DEFAULT_RIGHTS.slice(READING_RIGHTS.length);
  t.is(selectors.length, NAMED.length);
  for (const [index, missing] of selectors.entries()) {
    await restrict(...DEFAULT_RIGHTS.filter((rule) => rule !== missing));
    const refused = await eventually(async () => {
      const answer = await ask({ body: { secret: secretId, label: missing } });
      return answer.status === 503 ? answer : undefined;
    }, missing);
    t.is(refused.headers['x-alter-error'], 'store_unavailable');
    t.regex(proxy.logged(), NAMED[index] ?? /^$/);
  }
  await restrict(...READING_RIGHTS);
  t.is(await use(issued.document['id']), 200);
});

test('run beside a proxy whose user may write no keys starts a proxy of its own, and says so', async (t) => {
  const { url, restrict } = await restrictedRedis(t);
  await restrict(...DEFAULT_RIGHTS);
  const cli = await newHome(t);
  const env = { ALTER_STORE_URL: url };
  const { file } = await started(cli, env);
  const { code, stdout, stderr } = await cli.run(['run', '--', 'sh', '-c', 'echo "$HTTPS_PROXY"'], { env });
  t.is(code, 0, stderr);
  t.regex(stdout, /^http:\/\/x:.*@127\.0\.0\.1:\d+\n$/);
  t.false(stdout.endsWith(`:${String(file.port)}\n`));
  t.regex(stderr, /a proxy of its own/);
});
