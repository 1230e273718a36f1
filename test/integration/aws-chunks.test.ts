/**
 * Contract: what an AWS client has signed chunk by chunk, with a key that is none, arrives at a real HTTPS server signed with the true one,
 * byte for byte the same otherwise, by SigV4 and by SigV4a; a body that is not framed as announced is refused and never complete upstream.
 */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import test from 'ava';
import { v4aKey } from '../../src/inject/sigv4/v4a-key.ts';
import type { ProviderTemplate } from '../../src/providers/template.ts';
import { clientBody, DUMMY, signingKey, verifyBody } from '../support/aws-chunks.ts';
import { openTls, problemCode, requestThrough, type ClientAnswer } from '../support/client.ts';
import { memoryRise, startProxyProcess, type ProxyProcess } from '../support/proxy-process.ts';
import { startScene, type Scene } from '../support/scene.ts';
import { verifiedV4a } from '../support/v4a-request.ts';

const ID = 'AKIAIOSFODNN7EXAMPLE';
const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const PROVIDER: ProviderTemplate = {
  slug: 'chunks',
  name: 'Chunks',
  category: 'test',
  hosts: ['localhost'],
  fields: {
    id: { label: 'Access key id', secret: false },
    secret: { label: 'Secret access key', secret: true },
    region: { label: 'Region', secret: false, optional: true },
  },
  inject: [{ kind: 'sigv4', accessKeyId: '{id}', secretAccessKey: '{secret}', region: '{region}' }],
  confidence: 'high',
};
const HMAC = `AWS4-HMAC-SHA256 Credential=AKIADUMMY/20200101/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=${DUMMY.hmac}`;
const ECDSA = 'AWS4-ECDSA-P256-SHA256 Credential=AKIADUMMY/20200101/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=3044';
const CHECKSUM = 'x-amz-checksum-crc32c:sOO8/Q==';

let scene: Scene;
let grant: string;
/** The body of the last request, whole. */
let arrived: Buffer;

test.before(async () => {
  scene = await startScene({
    origin: {
      handler: (message, response) => {
        if (message.url === '/echo') return false;
        const pieces: Buffer[] = [];
        message.on('data', (piece: Buffer) => pieces.push(piece));
        message.once('end', () => {
          arrived = Buffer.concat(pieces);
          response.end();
        });
        return true;
      },
    },
  });
  grant = await scene.grant({ template: PROVIDER, fields: { id: ID, secret: SECRET } });
});
test.after.always(async () => {
  await scene.stop();
});

function put(
  body: Buffer,
  headers: readonly string[],
  of: { readonly path?: string; readonly grant?: string } = {},
): Promise<ClientAnswer> {
  const url = `${scene.origin.url}${of.path ?? '/bucket/key'}`;
  return requestThrough(scene.proxy, {
    url,
    method: 'PUT',
    grant: of.grant ?? grant,
    headers: ['Content-Encoding', 'aws-chunked', 'X-Amz-Date', '20200101T000000Z', ...headers],
    body,
  });
}

function announced(word: string, length: number): string[] {
  return ['X-Amz-Content-Sha256', `STREAMING-AWS4-${word}`, 'X-Amz-Decoded-Content-Length', String(length)];
}

function header(name: string): string {
  return String(scene.origin.requests.at(-1)?.headers[name]);
}

/** What the chunks must be signed with, by the head that arrived. */
function hmacSigning() {
  const [, day = '', seed = ''] =
    /Credential=AKIAIOSFODNN7EXAMPLE\/(\d{8})\/.*Signature=([0-9a-f]{64})$/.exec(header('authorization')) ?? [];
  const key = signingKey(SECRET, day, 'us-east-1', 's3');
  return { key, scope: `${day}/us-east-1/s3/aws4_request`, amzDate: header('x-amz-date'), seed };
}

test.serial('chunks arrive signed, with the data and the length that the client sent', async (t) => {
  const chunks = [65536, 65536, 65536, 1000].map((size) => randomBytes(size));
  const body = clientBody(chunks);
  const answer = await put(body, ['Authorization', HMAC, ...announced('HMAC-SHA256-PAYLOAD', 197608)]);
  t.is(answer.status, 200);
  t.is(arrived.length, body.length);
  t.is(header('content-length'), String(body.length));
  t.is(header('x-amz-content-sha256'), 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD');
  t.true(verifyBody(arrived, hmacSigning(), false).data.equals(Buffer.concat(chunks)));
  t.false(arrived.includes(DUMMY.hmac));
});

test.serial('chunks with trailing headers arrive signed, and so do the headers', async (t) => {
  const body = clientBody(['a'.repeat(70000), 'b'], [CHECKSUM]);
  const headers = ['Authorization', HMAC, ...announced('HMAC-SHA256-PAYLOAD-TRAILER', 70001), 'X-Amz-Trailer', 'x-amz-checksum-crc32c'];
  t.is((await put(body, headers)).status, 200);
  t.is(arrived.length, body.length);
  const read = verifyBody(arrived, hmacSigning(), true);
  t.is(read.data.length, 70001);
  t.deepEqual(read.trailers, [CHECKSUM]);
});

test.serial('64 MiB in chunks of 64 KiB arrive whole', async (t) => {
  const chunk = randomBytes(65536);
  const body = clientBody(Array.from({ length: 1024 }, () => chunk));
  t.is((await put(body, ['Authorization', HMAC, ...announced('HMAC-SHA256-PAYLOAD', 64 * 1024 * 1024)])).status, 200);
  const { data } = verifyBody(arrived, hmacSigning(), false);
  const hash = createHash('sha256');
  for (let count = 0; count < 1024; count += 1) hash.update(chunk);
  t.is(createHash('sha256').update(data).digest('hex'), hash.digest('hex'));
});

test.serial('half a GiB raises the memory of the proxy by less than 32 MiB', async (t) => {
  t.timeout(180_000);
  const proxy = await startProxyProcess(scene.proxy.home, [], { ALTER_KEY: scene.proxy.key });
  try {
    // The first body pays for code and pools that every later one uses.
    await upload(proxy, 256);
    const rise = await memoryRise(proxy, async () => {
      const bytes = await upload(proxy, 8192);
      t.is(scene.origin.requests.at(-1)?.bodyBytes, bytes);
    });
    t.log(`memory rose by ${rise} MiB`);
    t.true(rise < 32, `memory rose by ${rise} MiB`);
  } finally {
    await proxy.stop();
  }
});

/** Sends so many chunks of 64 KiB; resolves to the length of the body once it has been answered. */
async function upload(proxy: ProxyProcess, chunks: number): Promise<number> {
  const end = clientBody([]);
  const chunk = clientBody([randomBytes(65536)]).subarray(0, -end.length);
  const bytes = chunks * chunk.length + end.length;
  const socket = await openTls(proxy, scene.authority);
  const own = ['Host', scene.authority, 'X-Alter-Grant', grant, 'Content-Length', String(bytes), 'Authorization', HMAC];
  const headers = [...own, ...announced('HMAC-SHA256-PAYLOAD', chunks * 65536)] as unknown as http.OutgoingHttpHeaders;
  const request = http.request({ createConnection: () => socket, path: '/echo', method: 'PUT', headers });
  const answered = once(request, 'response') as Promise<[http.IncomingMessage]>;
  for (let sent = 0; sent < chunks; sent += 1) if (!request.write(chunk)) await once(request, 'drain');
  request.end(end);
  const [answer] = await answered;
  answer.resume();
  await once(answer, 'end');
  socket.destroy();
  return bytes;
}

test.serial('trailing headers without signatures stream as they are', async (t) => {
  const body = Buffer.from(`4\r\ndata\r\n0\r\n${CHECKSUM}\r\n\r\n`);
  const headers = ['X-Amz-Content-Sha256', 'STREAMING-UNSIGNED-PAYLOAD-TRAILER', 'X-Amz-Decoded-Content-Length', '4'];
  t.is((await put(body, ['Authorization', HMAC, ...headers])).status, 200);
  t.true(arrived.equals(body));
});

test.serial('SigV4a: head and chunks arrive signed for the regions that the client named', async (t) => {
  const key = v4aKey(ID, SECRET);
  const headers = ['Authorization', ECDSA, 'X-Amz-Region-Set', 'us-east-1,eu-west-*'];
  for (const trailers of [undefined, [CHECKSUM]]) {
    const body = clientBody(['a'.repeat(70000), 'b'], trailers, { signature: DUMMY.ecdsa });
    const word = `ECDSA-P256-SHA256-PAYLOAD${trailers === undefined ? '' : '-TRAILER'}`;
    t.is((await put(body, [...headers, ...announced(word, 70001)], { path: '/key?b=2&a=1' })).status, 200);
    const signature = verifiedV4a(scene.origin.requests.at(-1)!, key);
    t.like(signature, { accessKeyId: ID, regionSet: 'us-east-1,eu-west-*' });
    t.regex(signature.scope, /^20\d{6}\/s3\/aws4_request$/);
    t.is(arrived.length, body.length);
    t.is(verifyBody(arrived, { key, ...signature }, trailers !== undefined).data.length, 70001);
  }
});

test.serial('SigV4a: a request without chunks is signed, too', async (t) => {
  const headers = ['Authorization', ECDSA, 'X-Amz-Region-Set', '*', 'X-Amz-Content-Sha256', 'UNSIGNED-PAYLOAD'];
  const answer = await put(Buffer.from('data'), headers);
  t.is(answer.status, 200);
  t.is(verifiedV4a(scene.origin.requests.at(-1)!, v4aKey(ID, SECRET)).regionSet, '*');
  t.deepEqual((await scene.proxy.eventOf(answer)).outcome, 'success');
});

test.serial('SigV4a: regions outside those of the secret are refused', async (t) => {
  const pinned = await scene.grant({
    template: { ...PROVIDER, slug: 'chunks-pinned' },
    fields: { id: ID, secret: SECRET, region: 'us-east-1' },
  });
  const seen = scene.origin.requests.length;
  for (const [set, code] of [
    ['*', 'signing_scope_mismatch'],
    ['us-east-1,eu-west-1', 'signing_scope_mismatch'],
    ['us-east-1 eu-west-1', 'malformed_request'],
  ] as const) {
    const headers = ['Authorization', ECDSA, 'X-Amz-Region-Set', set, 'X-Amz-Content-Sha256', 'UNSIGNED-PAYLOAD'];
    t.is(problemCode(await put(Buffer.from('data'), headers, { grant: pinned })), code, set);
  }
  t.is(problemCode(await put(Buffer.from('data'), ['Authorization', ECDSA])), 'malformed_request', 'no region set');
  t.is(scene.origin.requests.length, seen);
});

test.serial('a body that is not framed as announced is refused, and is complete nowhere', async (t) => {
  const good = clientBody(['a'.repeat(70000), 'b'.repeat(10)]);
  const cases: readonly (readonly [string, Buffer, number])[] = [
    ['a signature that is none', Buffer.from(good.toString('latin1').replace(/d(?=\r\nb)/, 'x'), 'latin1'), 70010],
    ['more than announced', good, 70009],
    ['less than announced', good, 70011],
    ['cut off between chunks', good.subarray(0, -86), 70010],
    ['bytes behind the end', Buffer.concat([good, Buffer.from('x')]), 70010],
    ['chunks that are not signed', Buffer.from('4\r\ndata\r\n0\r\n\r\n'), 4],
    ['signatures of SigV4a', clientBody(['data'], undefined, { signature: DUMMY.ecdsa }), 4],
  ];
  const seen = scene.origin.requests.length;
  for (const [what, body, length] of cases) {
    const answer = await put(body, ['Authorization', HMAC, ...announced('HMAC-SHA256-PAYLOAD', length)]);
    t.is(`${String(answer.status)} ${problemCode(answer)}`, '400 malformed_request', what);
    t.false(
      scene.origin.requests.slice(seen).some(({ complete }) => complete),
      what,
    );
  }
});

test.serial('a chunk that is too large is refused', async (t) => {
  const body = clientBody([Buffer.alloc(1024 * 1024 + 1)]);
  const answer = await put(body, ['Authorization', HMAC, ...announced('HMAC-SHA256-PAYLOAD', 1024 * 1024 + 1)]);
  t.is(`${String(answer.status)} ${problemCode(answer)}`, '413 body_too_large_to_sign');
});

test.serial('chunks of one algorithm under a head of the other are refused before anything is sent', async (t) => {
  const seen = scene.origin.requests.length;
  const body = clientBody(['data']);
  const crossed = [
    ['Authorization', ECDSA, 'X-Amz-Region-Set', '*', ...announced('HMAC-SHA256-PAYLOAD', 4)],
    ['Authorization', HMAC, ...announced('ECDSA-P256-SHA256-PAYLOAD', 4)],
  ];
  for (const headers of crossed) t.is(problemCode(await put(body, headers)), 'malformed_request');
  t.is(scene.origin.requests.length, seen);
});
