/**
 * What no client of these tests sends by itself, through the proxy: chunks signed with the client's key, raw paths and queries, clocks that
 * differ, session tokens, and what must never arrive with a good signature.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { AWS_HOSTS } from './support/hosts.ts';
import { startProxied, type Proxied, type ProxiedOptions } from './support/proxied.ts';
import { sendSigned, type Sending, type Sent } from './support/signing-client.ts';
import { startVerifyingOrigin, type SeenRequest, type VerifyingOrigin } from './support/verifying-origin.ts';

const TOKEN = 'FwoGZXIvYXdzE/token+with==';

let origin: VerifyingOrigin;
let plain: Proxied;
/** Its credential has a session token. */
let temporary: Proxied;
const stops: (() => Promise<void>)[] = [];

test.before(async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'alter-aws-'));
  stops.push(() => rm(folder, { recursive: true, force: true }));
  origin = await startVerifyingOrigin(folder);
  stops.push(origin.stop);
  plain = await startProxied(reach());
  stops.push(plain.stop);
  temporary = await startProxied({ ...reach(), fields: { session_token: TOKEN } });
  stops.push(temporary.stop);
});

test.after.always(async () => {
  for (const stop of stops.reverse()) await stop();
});

/** Every host of AWS, and one that says nothing of a region. */
function reach(): ProxiedOptions {
  const { caFile, port } = origin;
  const hosts = Object.fromEntries([...AWS_HOSTS, 's3.intern.test'].map((host) => [host, port]));
  return { hosts, caFile, provider: 'custom-sigv4' };
}

/** Sends, and answers what came back and what arrived meanwhile. */
async function send(t: ExecutionContext, sending: Sending, proxied = plain): Promise<Sent & { readonly arrived: readonly SeenRequest[] }> {
  const from = origin.seen.length;
  const sent = await sendSigned(t, proxied.route, sending);
  return { ...sent, arrived: origin.seen.slice(from) };
}

/** Without any signature of the client's own: the grant is named in a header. */
function unsigned(sending: Sending): Sending {
  return { ...sending, payload: 'none', headers: { 'X-Alter-Grant': plain.grant, ...sending.headers } };
}

function story({ body, arrived }: { readonly body: string; readonly arrived: readonly SeenRequest[] }): string {
  return `${body}\n${JSON.stringify(arrived.at(-1), null, 1)}\n${arrived.at(-1)?.canonical ?? ''}`;
}

const put = { method: 'PUT', body: 'content of the object' } as const;
const chunks = { ...put, repeat: 5000, payload: 'chunks' } as const;

const SIGNED: Readonly<Record<string, Sending>> = {
  'a hashed body': put,
  'an unsigned body': { ...put, payload: 'unsigned' },
  'signed chunks': chunks,
  'signed chunks of 8 KiB': { ...chunks, chunk_bytes: 8192 },
  'signed chunks, 20 MB of them': { ...chunks, repeat: 1_000_000 },
  'signed chunks of an empty object': { ...put, body: '', payload: 'chunks' },
  'signed chunks with a trailer': { ...chunks, payload: 'chunks-trailer' },
  'unsigned chunks with a trailer': { ...chunks, payload: 'unsigned-trailer' },
  'a presigned URL': { target: '/?list-type=2&prefix=a%20b', payload: 'query' },
  'an empty value and repeated parameters': { target: '/?tagging=&b=2&a=2&a=1&list-type=2' },
  'another service': { host: 'sqs.us-east-1.amazonaws.com', service: 'sqs', target: '/a%20b/', method: 'POST', body: 'Action=ListQueues' },
  'a client whose clock is a day off': { ...put, skew_s: -86_400 },
  'signed chunks of a client whose clock is a day off': { ...chunks, skew_s: 86_400 },
};

for (const [what, sending] of Object.entries(SIGNED)) {
  test.serial(`signed anew: ${what}`, async (t) => {
    const sent = await send(t, sending);
    t.is(sent.status, 200, story(sent));
    t.deepEqual(
      sent.arrived.map(({ verdict }) => verdict),
      ['ok'],
    );
    if (sending.body !== undefined) t.is(sent.arrived[0]?.bytes, sending.body.length * (sending.repeat ?? 1));
  });
}

const RAW_TARGETS = [
  '/raw/plain',
  '/raw/a%20b',
  '/raw/a+b',
  '/raw/a%2Bb',
  '/raw//x',
  '//raw',
  '/raw/trailing/',
  '/raw/~tilde',
  '/raw/%7Etilde',
  '/raw/%c3%bc',
  '/raw/%E6%97%A5',
  "/raw/!$&'()*,;=:@",
  '/raw/%21%24%26%27%28%29%2A%2C%3B%3D%3A%40',
  '/raw/100%25',
  '/raw/a%2Fb',
  '/?tagging',
  '/?tagging=',
  '/?b=2&a=2&a=1&a=10&A=1',
  '/?prefix=a%2Fb%20c~&delimiter=/',
  '/?prefix=a%2bb',
  '/?prefix=a+b',
  '/?prefix=%E2%82%AC&marker=a%3Db%26c',
];

for (const target of RAW_TARGETS) {
  for (const [host, service] of [
    ['photos.s3.us-east-1.amazonaws.com', 's3'],
    ['abc123.execute-api.us-east-1.amazonaws.com', 'execute-api'],
  ] as const) {
    test.serial(`signed for ${service}: ${target}`, async (t) => {
      const sent = await send(t, unsigned({ host, target, method: 'PUT', body: 'x' }));
      t.is(sent.arrived[0]?.verdict, 'ok', story(sent));
      t.is(sent.arrived[0]?.service, service);
    });
  }
}

test.serial('a session token goes with the signature, in the header and in the query', async (t) => {
  await origin.set({ session_token: TOKEN });
  for (const sending of [put, chunks, { payload: 'query' } as const, { ...put, token: 'a token of the client' }]) {
    const sent = await send(t, sending, temporary);
    t.is(sent.arrived.at(-1)?.verdict, 'ok', story(sent));
  }
  await origin.set({ session_token: null });
});

/** One proxy each: what it learns of a clock, it keeps. */
const SKEWED: Readonly<Record<string, Sending>> = {
  'a GET': { target: '/?list-type=2' },
  'a POST of another service': {
    host: 'sqs.us-east-1.amazonaws.com',
    service: 'sqs',
    target: '/',
    method: 'POST',
    body: 'Action=ListQueues',
  },
  'a presigned URL': { target: '/?list-type=2', payload: 'query' },
};

for (const [what, sending] of Object.entries(SKEWED)) {
  test.serial(`the clock of the provider is learnt from its answer, once: ${what}`, async (t) => {
    const own = await startProxied(reach());
    stops.push(own.stop);
    const verdicts = async (): Promise<readonly string[]> => (await send(t, sending, own)).arrived.map(({ verdict }) => verdict);
    await origin.set({ clock_offset_s: -3600 });
    const refused = what === 'a presigned URL' ? 'AccessDenied' : 'RequestTimeTooSkewed';
    t.deepEqual(await verdicts(), [refused, 'ok']);
    t.deepEqual(await verdicts(), ['ok']);
    await origin.set({ clock_offset_s: 0 });
    t.deepEqual((await verdicts()).at(-1), 'ok');
  });
}

test.serial('a body that has passed is not sent again, but the clock is learnt for the next request', async (t) => {
  const own = await startProxied(reach());
  stops.push(own.stop);
  await origin.set({ clock_offset_s: 3600 });
  for (const sending of [chunks, chunks] as const) await send(t, sending, own);
  await origin.set({ clock_offset_s: 0 });
  t.deepEqual(
    origin.seen.slice(-2).map(({ verdict }) => verdict),
    ['RequestTimeTooSkewed', 'ok'],
  );
});

test.serial('a presigned URL whose time is over stays over', async (t) => {
  const sent = await send(t, { payload: 'query', skew_s: -7200 });
  t.not(sent.status, 200);
  t.false(sent.arrived.some(({ verdict }) => verdict === 'ok'));
});

test.serial('a host that says no region is refused, and not guessed', async (t) => {
  const sent = await send(t, unsigned({ host: 's3.intern.test', target: '/photos/x' }));
  t.is(sent.status, 400, story(sent));
  t.is(sent.arrived.length, 0);
  t.log(sent.headers['X-Alter-Error'], sent.body);
});

test.serial('a scope that contradicts the host is refused', async (t) => {
  for (const wrong of [{ region: 'eu-west-1' }, { service: 'sqs' }]) {
    const sent = await send(t, { ...put, ...wrong });
    t.is(sent.arrived.length, 0, story(sent));
    t.true(sent.status >= 400 && sent.status < 500);
    t.log(sent.headers['X-Alter-Error'], sent.body);
  }
});

test.serial('a body that is not what the client declared never counts as good', async (t) => {
  for (const sending of [
    { ...put, spoil: 'body' },
    { ...chunks, payload: 'unsigned-trailer', spoil: 'trailer' },
  ] as const) {
    const sent = await send(t, sending);
    t.not(sent.status, 200);
    t.false(sent.arrived.some(({ verdict }) => verdict === 'ok'));
  }
});

test.serial('a body that ends early never arrives whole', async (t) => {
  for (const sending of [chunks, put]) {
    const from = origin.seen.length;
    const sent = await sendSigned(t, plain.route, { ...sending, spoil: 'short' });
    t.not(sent.status, 200);
    t.false(origin.seen.slice(from).some(({ verdict }) => verdict === 'ok'));
  }
});

test.serial('dot segments are refused before they are signed', async (t) => {
  for (const target of ['/raw/../x', '/raw/./x', '/raw/%2e%2e/x']) {
    const sent = await send(t, unsigned({ target }));
    t.is(sent.status, 400, story(sent));
    t.is(sent.arrived.length, 0);
  }
});
