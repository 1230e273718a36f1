/**
 * `secret test`: the provider's test call goes out with the credential, as any request does, and only its status comes back. It says whether
 * the credential works, was refused, or could not be tried; nothing of credential or answer is printed; every call is in the audit.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { initialised, inProcessHome, type CliHome, type CliResult } from '../support/cli.ts';
import { startOrigin, type Origin } from '../support/origin.ts';

const KEY = 'key-live-9999';

interface Scene {
  readonly cli: CliHome;
  readonly origin: Origin;
  /** Adds a provider with this test call, and a secret for it of the same name. */
  add(slug: string, call: string | undefined): Promise<void>;
}

/** An origin that takes one key, and a home that may reach it. */
async function scene(t: ExecutionContext): Promise<Scene> {
  const cli = await initialised(inProcessHome(t));
  const origin = await startOrigin();
  t.teardown(() => origin.close());
  const ca = cli.write('origin.pem', origin.ca);
  const config = readFileSync(path.join(cli.home, 'config.yaml'), 'utf8');
  cli.write('home/config.yaml', `${config}\nupstream:\n  ca_files: ['${ca}']\n  allow_private: ['localhost']\n`);
  return {
    cli,
    origin,
    async add(slug, call) {
      const file = cli.write(`${slug}.yaml`, provider(slug, `localhost:${String(origin.port)}`, call));
      const added = await cli.run(['provider', 'add', '--file', file]);
      t.is(added.code, 0, added.stderr);
      const stored = await cli.run(['secret', 'add', slug, '--provider', slug], { stdin: KEY });
      t.is(stored.code, 0, stored.stderr);
    },
  };
}

function provider(slug: string, host: string, call: string | undefined): string {
  return `slug: ${slug}
name: ${slug}
category: test
hosts: ['${host}']
fields:
  api_key: { label: Key }
inject:
  - header: { name: X-Api-Key, value: '{api_key}' }
${call === undefined ? '' : `test: ${call}\n`}confidence: high
`;
}

function derivedProvider(host: string): string {
  return `slug: derived
name: derived
category: test
hosts: ['${host}']
fields:
  client_id: { label: Client ID, secret: false }
  client_secret: { label: Client secret }
derive:
  oauth2_client_credentials:
    token_url: https://${host}/token
    client_id: '{client_id}'
    client_secret: '{client_secret}'
    auth: body
inject:
  - bearer: '{access_token}'
test: { method: GET, path: /me }
confidence: high
`;
}

function silentOf(t: ExecutionContext, { stdout, stderr }: CliResult): void {
  t.notRegex(stdout + stderr, /9999/);
}

test('a credential that the provider takes works, and the call carries it', async (t) => {
  const { cli, origin, add } = await scene(t);
  await add('good', '{ method: GET, path: "/me?verbose=1" }');
  const tested = await cli.run(['secret', 'test', 'good']);
  t.is(tested.code, 0, tested.stderr);
  t.is(tested.stdout, `Works: GET https://localhost:${String(origin.port)}/me answered 200\n`);
  silentOf(t, tested);
  t.is(origin.requests.length, 1);
  t.like(origin.requests[0], { method: 'GET', url: '/me?verbose=1' });
  t.like(origin.requests[0]!.headers, { 'x-api-key': KEY, 'user-agent': 'alter-proxy', host: `localhost:${String(origin.port)}` });
});

test('the body of a POST goes along, with its type and length', async (t) => {
  const { cli, origin, add } = await scene(t);
  await add('post', `{ method: POST, path: /graphql, body: '{"query":"{ me }"}' }`);
  t.is((await cli.run(['secret', 'test', 'post'])).code, 0);
  await origin.until(() => origin.requests[0]?.body === '{"query":"{ me }"}');
  t.like(origin.requests[0]!.headers, { 'content-type': 'application/json', 'content-length': '18', 'x-api-key': KEY });
});

test('a status is a verdict: 401 and 403 refuse, others say nothing of the credential', async (t) => {
  const { cli, origin, add } = await scene(t);
  const expected = [
    [401, 5, 'refused'],
    [403, 5, 'refused'],
    [404, 6, 'undecided'],
    [302, 6, 'undecided'],
    [500, 6, 'undecided'],
    [429, 6, 'undecided'],
  ] as const;
  for (const [status, code, verdict] of expected) {
    await add(`s${String(status)}`, `{ method: GET, path: /status/${String(status)} }`);
    const tested = await cli.run(['secret', 'test', `s${String(status)}`, '--json']);
    t.is(tested.code, code, tested.stderr);
    t.like(JSON.parse(tested.stdout), { verdict, status, code: null, host: `localhost:${String(origin.port)}` });
    silentOf(t, tested);
  }
});

test('what is told fits the status: a rotation is advised only where it can help', async (t) => {
  const { cli, add } = await scene(t);
  for (const [status, sentence] of [
    [401, /^Refused: .* answered 401: the provider does not take the credential\. Replace it with: alter-proxy secret rotate ms_/],
    [403, /^Refused: .* answered 403: the credential is not good for this call\. Give it the permission, or replace it with: alter-proxy/],
    [404, /^Undecided: .* answered 404\. That does not show whether the credential works\n$/],
    [302, /^Undecided: .* answered 302\. That does not show whether the credential works\n$/],
    [500, /^Undecided: .* answered 500\. Try again later\n$/],
  ] as const) {
    await add(`t${String(status)}`, `{ method: GET, path: /status/${String(status)} }`);
    t.regex((await cli.run(['secret', 'test', `t${String(status)}`])).stdout, sentence);
  }
});

test('an origin that does not answer leaves it undecided', async (t) => {
  const { cli, origin, add } = await scene(t);
  await add('garbage', '{ method: GET, path: /garbage }');
  const garbage = await cli.run(['secret', 'test', 'garbage', '--json']);
  t.is(garbage.code, 6);
  t.like(JSON.parse(garbage.stdout), { verdict: 'undecided', status: null, code: 'upstream_protocol_error' });
  await origin.close();
  const gone = await cli.run(['secret', 'test', 'garbage']);
  t.is(gone.code, 6);
  t.regex(gone.stdout, /^Undecided: GET https:\/\/localhost:\d+\/garbage was not answered: .*\(upstream_unreachable\)/);
});

test('an answer without an end is not waited for', async (t) => {
  const { cli, add } = await scene(t);
  await add('long', '{ method: GET, path: "/big?bytes=1000000000" }');
  t.is((await cli.run(['secret', 'test', 'long'])).code, 0);
});

test('a credential that the token endpoint refuses is refused; an endpoint that fails says nothing', async (t) => {
  const cli = await initialised(inProcessHome(t));
  let answer: readonly [number, string] = [401, '{"error":"invalid_client"}'];
  const origin = await startOrigin({
    handler: (_message, response) => {
      response.writeHead(answer[0], { 'Content-Type': 'application/json' }).end(answer[1]);
      return true;
    },
  });
  t.teardown(() => origin.close());
  const ca = cli.write('origin.pem', origin.ca);
  const config = readFileSync(path.join(cli.home, 'config.yaml'), 'utf8');
  cli.write('home/config.yaml', `${config}\nupstream:\n  ca_files: ['${ca}']\n  allow_private: ['localhost']\n`);
  const host = `localhost:${String(origin.port)}`;
  const file = cli.write('derived.yaml', derivedProvider(host));
  t.is((await cli.run(['provider', 'add', '--file', file])).code, 0);
  const fields = JSON.stringify({ client_id: 'app', client_secret: KEY });
  t.is((await cli.run(['secret', 'add', 'derived', '--provider', 'derived', '--fields-stdin'], { stdin: fields })).code, 0);
  const refused = await cli.run(['secret', 'test', 'derived', '--json']);
  t.is(refused.code, 5, refused.stdout + refused.stderr);
  t.like(JSON.parse(refused.stdout), { verdict: 'refused', status: null, code: 'credential_unavailable' });
  silentOf(t, refused);
  answer = [500, 'down'];
  const failed = await cli.run(['secret', 'test', 'derived']);
  t.is(failed.code, 6, failed.stdout + failed.stderr);
  t.true(origin.requests.every(({ url }) => url === '/token'));
});

test('every call is in the audit, with who asked and without a grant', async (t) => {
  const { cli, add } = await scene(t);
  await add('audited', '{ method: GET, path: "/me?key=1" }');
  const tested = await cli.run(['secret', 'test', 'audited', '--json']);
  const { requestId, secret } = JSON.parse(tested.stdout) as { requestId: string; secret: string };
  const printed = await cli.run(['audit', 'tail', '--json']);
  const events = printed.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  const event = events.find(({ id }) => id === requestId);
  t.like(event, {
    type: 'request',
    secretId: secret,
    secretVersion: 1,
    grantId: null,
    reason: 'secret test',
    outcome: 'success',
    status: 200,
  });
  t.like(event, { path: '/me', queryNames: ['key'], injected: ['header:x-api-key'], stages: ['destination', 'inject'] });
  t.regex(String(event?.['keyId']), /^operator:/);
});

test('no test call, no secret, no active secret: nothing leaves', async (t) => {
  const { cli, origin, add } = await scene(t);
  await add('plain', undefined);
  const none = await cli.run(['secret', 'test', 'plain']);
  t.is(none.code, 4);
  t.regex(none.stderr, /no test call is known for provider plain/);
  t.is((await cli.run(['secret', 'test', 'plane'])).code, 4);
  await add('revoked', '{ method: GET, path: /me }');
  await cli.run(['secret', 'revoke', 'revoked']);
  const revoked = await cli.run(['secret', 'test', 'revoked']);
  t.is(revoked.code, 4);
  t.regex(revoked.stderr, /secret revoked is revoked/);
  t.is(origin.requests.length, 0);
});
