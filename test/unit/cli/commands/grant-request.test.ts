/** Contract: `grant request` needs a key and a proxy, and nothing of a home; the id stands alone on stdout; every failure has its code. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { inProcessHome } from '../../../support/cli.ts';

const KEY = `alter_key_agent_${'k'.repeat(43)}`;
const ID = 'e850ef57-576f-8eb3-a05b-a96e9d0db0dd';
const GRANT = {
  id: ID,
  label: 'nightly',
  secret: 'stripe',
  provider: 'stripe',
  hosts: ['https://api.stripe.com:443'],
  status: 'active',
  expires_at: null,
};

interface Seen {
  readonly line: string;
  readonly authorization: string | undefined;
  readonly body: string;
}

/** Something that answers like a proxy; `seen` is what it was sent. */
async function answering(t: ExecutionContext, status: number, body: string) {
  const seen: Seen[] = [];
  const server = http.createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      seen.push({ line: `${String(request.method)} ${String(request.url)}`, authorization: request.headers.authorization, body: text });
      response.writeHead(status).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const proxy = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const run = (...args: string[]) =>
    inProcessHome(t).run(['grant', 'request', '-s', 'stripe', '-l', 'nightly', '--proxy', proxy, ...args], { env: { ALTER_KEY: KEY } });
  return { seen, run };
}

test('the id alone is printed, and the key goes into a field', async (t) => {
  const { seen, run } = await answering(t, 201, JSON.stringify(GRANT));
  const made = await run('--ttl', '1h');
  t.is(made.code, 0, made.stderr);
  t.is(made.stdout, `${ID}\n`);
  t.is(made.stderr, 'Grant for api.stripe.com; valid until it is revoked.\n');
  const body = '{"secret":"stripe","label":"nightly","ttl":"1h"}';
  t.deepEqual(seen, [{ line: 'POST /v1/grants', authorization: `Bearer ${KEY}`, body }]);
  const json = JSON.parse((await run('--expires-at', '2099-01-31', '--json')).stdout) as Record<string, unknown>;
  t.like(json, { id: ID, secretName: 'stripe', expiresAt: null });
  t.is(seen[1]?.body, '{"secret":"stripe","label":"nightly","expires_at":"2099-01-31"}');
});

test('a refusal of the proxy keeps its code', async (t) => {
  const { run } = await answering(t, 403, JSON.stringify({ code: 'grant_not_allowed', detail: 'not this one' }));
  const refused = await run('--json');
  t.is(refused.code, 3);
  t.like(JSON.parse(refused.stderr), { error: { code: 'grant_not_allowed', message: 'The agent may not have this grant: not this one' } });
});

test('a key that is not taken is told with the places where this command looks for one', async (t) => {
  for (const code of ['invalid_key', 'key_expired', 'key_revoked']) {
    const { run } = await answering(t, 401, JSON.stringify({ code }));
    const { error } = JSON.parse((await run('--json')).stderr) as { readonly error: { readonly code: string; readonly hint: string } };
    t.is(error.code, code);
    t.regex(error.hint, /ALTER_KEY.*--key-file/);
  }
});

for (const [what, status, body] of [
  ['a web page', 200, '<html>'],
  ['JSON of something else', 200, '{"id":"7"}'],
  ['a refusal of something else', 404, '{"message":"Not Found"}'],
  ['a code that is not known', 403, '{"code":"toString"}'],
  ['nothing', 502, ''],
] as const) {
  test(`${what} is no answer of a proxy`, async (t) => {
    const { run } = await answering(t, status, body);
    const { code, stdout, stderr } = await run('--json');
    t.is(code, 1);
    t.is(stdout, '');
    t.like(JSON.parse(stderr), { error: { code: 'proxy_unreachable' } });
  });
}

test('a life that is none is told before anything is sent', async (t) => {
  const { seen, run } = await answering(t, 201, JSON.stringify(GRANT));
  t.is((await run('--ttl', '60')).code, 2);
  t.is((await run('--ttl', '1h', '--expires-at', '2099-01-31')).code, 2);
  t.deepEqual(seen, []);
});

test('a proxy that is not there', async (t) => {
  const { code, stderr } = await inProcessHome(t).run(['grant', 'request', '-s', 'x', '-l', 'y', '--proxy', 'http://127.0.0.1:1'], {
    env: { ALTER_KEY: KEY },
  });
  t.is(code, 1);
  t.regex(stderr, /^error: the proxy at http:\/\/127\.0\.0\.1:1 cannot be called: ECONNREFUSED\nhint: /);
});
