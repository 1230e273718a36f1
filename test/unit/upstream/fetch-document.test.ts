/** Contract: a document comes over verified TLS from an address that may be dialled, whole, small and in time, or not at all. */
import { createServer } from 'node:https';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import { Dialer } from '../../../src/upstream/dial.ts';
import { askForDocument, fetchDocument } from '../../../src/upstream/fetch-document.ts';
import { makeTestAuthority } from '../../support/certificates.ts';
import { codeOf } from '../../support/vault-fixture.ts';

const LIMITS = { timeoutMs: 5000, maxBytes: 1000 };
const authority = makeTestAuthority();
let server: Server;
let base: string;
const seen: string[] = [];

const ROUTES: Readonly<Record<string, (response: ServerResponse) => void>> = {
  '/ok?a=b': (response) => response.end('{"ä":1}'),
  '/full': (response) => response.end('x'.repeat(1000)),
  '/over': (response) => response.end('x'.repeat(1001)),
  '/endless': (response) => {
    const more = (): void => {
      while (response.write('x'.repeat(100)));
    };
    response.on('drain', more);
    more();
  },
  '/redirect': (response) => response.writeHead(302, { Location: '/ok?a=b' }).end('{}'),
  '/error': (response) => response.writeHead(500).end('{}'),
  '/empty': (response) => response.writeHead(204).end(),
  '/cut': (response) => {
    response.writeHead(200, { 'Content-Length': '100' });
    response.write('x', () => response.destroy());
  },
  '/silent': () => undefined,
  '/slow': (response) => response.write('x'),
};

/** Answers 401 with what it was asked. */
function mirror(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { method, headers } = request;
    response.writeHead(401, { 'X-Kind': 'mirror' });
    response.end(JSON.stringify({ method, headers, body: Buffer.concat(chunks).toString() }));
  });
}

test.before(async () => {
  server = createServer(authority.issue(['localhost']), (request, response) => {
    seen.push(request.url ?? '');
    if (request.url === '/mirror') {
      mirror(request, response);
      return;
    }
    ROUTES[request.url ?? '']?.(response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  base = `https://localhost:${String((server.address() as AddressInfo).port)}`;
});

test.after.always(() => {
  server.closeAllConnections();
  server.close();
});

function dialer(more: Partial<ConstructorParameters<typeof Dialer>[0]> = {}): Dialer {
  return new Dialer({ trust: [authority.caPem], allowPrivate: ['localhost'], connectTimeoutMs: 5000, ...more });
}

test('a document comes as text, whether long or short', async (t) => {
  t.is(await fetchDocument(dialer(), `${base}/ok?a=b`, LIMITS), '{"ä":1}');
  t.is((await fetchDocument(dialer(), `${base}/full`, LIMITS)).length, 1000);
});

for (const route of ['/over', '/endless', '/redirect', '/error', '/empty']) {
  test(`refused: ${route}`, async (t) => {
    t.is(await codeOf(() => fetchDocument(dialer(), `${base}${route}`, LIMITS)), 'upstream_protocol_error');
  });
}

test('a document that breaks off is none', async (t) => {
  t.is(await codeOf(() => fetchDocument(dialer(), `${base}/cut`, LIMITS)), 'upstream_unreachable');
});

test('one that does not come in time is none', async (t) => {
  for (const route of ['/silent', '/slow']) {
    t.is(await codeOf(() => fetchDocument(dialer(), `${base}${route}`, { ...LIMITS, timeoutMs: 200 })), 'upstream_timeout', route);
  }
});

test('only https, only verified, only where the guard allows', async (t) => {
  const url = `${base}/never`;
  t.is(await codeOf(() => fetchDocument(dialer(), url.replace('https', 'http'), LIMITS)), 'upstream_protocol_error');
  t.is(await codeOf(() => fetchDocument(dialer(), 'file:///etc/hostname', LIMITS)), 'upstream_protocol_error');
  t.regex(await codeOf(() => fetchDocument(dialer({ trust: [makeTestAuthority().caPem] }), url, LIMITS)), /^upstream_tls_failed:/);
  t.is(await codeOf(() => fetchDocument(dialer({ allowPrivate: [] }), url, LIMITS)), 'destination_blocked');
  t.is(await codeOf(() => fetchDocument(dialer(), 'https://169.254.169.254/latest/meta-data', LIMITS)), 'destination_blocked');
  t.false(seen.includes('/never'));
});

test('a request with a body gets the answer whatever its status, but no redirect', async (t) => {
  const request = { method: 'POST', url: `${base}/mirror`, headers: ['Content-Type', 'text/plain', 'X-A', 'b'], body: 'ä=1' } as const;
  const answer = await askForDocument(dialer(), request, LIMITS);
  t.is(answer.status, 401);
  t.is(answer.headers.get('x-kind'), 'mirror');
  t.like(JSON.parse(answer.body), {
    method: 'POST',
    headers: { 'content-type': 'text/plain', 'x-a': 'b', 'content-length': '4', connection: 'close' },
    body: 'ä=1',
  });
  for (const [route, code] of [
    ['/redirect', 'upstream_protocol_error'],
    ['/over', 'upstream_protocol_error'],
    ['/cut', 'upstream_unreachable'],
  ] as const) {
    t.is(await codeOf(() => askForDocument(dialer(), { ...request, url: `${base}${route}` }, LIMITS)), code, route);
  }
});

test('a URL whose path is ambiguous, and a header that cannot be sent, reject and bring nothing down', async (t) => {
  t.is(await codeOf(() => fetchDocument(dialer(), `${base}/..%2Fb`, LIMITS)), 'malformed_request');
  await t.throwsAsync(askForDocument(dialer(), { method: 'GET', url: `${base}/ok`, headers: ['X-A', 'b\r\nc'] }, LIMITS));
});
