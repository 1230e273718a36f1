/**
 * Ceph's RADOS Gateway is the judge: first of clients that sign with the real key, then of the same clients and of raw requests behind the
 * proxy. It is a self-hosted S3, so the secret says region and service.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { endedWell, printedJson } from './support/expectations.ts';
import { startProxied, type Proxied } from './support/proxied.ts';
import { GATEWAY_HOSTS, startRadosGateway, type RadosGateway } from './support/rados-gateway.ts';
import { startRelay } from './support/relay.ts';
import { runClient, type Ran, type Route } from './support/route.ts';
import { sendSigned, type Sending } from './support/signing-client.ts';
import { AWS_TESTS, PYTHON, REAL } from './support/verifying-origin.ts';

const HOST = GATEWAY_HOSTS[0];
const BUCKET_HOST = GATEWAY_HOSTS[1];

let gateway: RadosGateway;
let direct: Route;
let proxied: Proxied;
const stops: (() => Promise<void>)[] = [];

test.before(async (t) => {
  t.timeout(180_000);
  const folder = await mkdtemp(path.join(os.tmpdir(), 'alter-rados-'));
  stops.push(() => rm(folder, { recursive: true, force: true }));
  gateway = await startRadosGateway(folder);
  stops.push(gateway.stop);
  const relay = await startRelay(gateway.port);
  stops.push(relay.stop);
  direct = {
    accessKey: REAL.access_key,
    secretKey: REAL.secret_key,
    proxyPort: relay.port,
    proxyUrl: `http://127.0.0.1:${relay.port}`,
    caFile: gateway.caFile,
    folder: path.join(folder, 'clients'),
  };
  await mkdir(direct.folder);
  const hosts = Object.fromEntries(GATEWAY_HOSTS.map((host) => [host, gateway.port]));
  proxied = await startProxied({ hosts, caFile: gateway.caFile, provider: 's3-compatible', fields: { region: 'us-east-1' } });
  stops.push(proxied.stop);
  printedJson(t, await boto3(direct, 's3-bucket'));
});

test.after.always(async () => {
  for (const stop of stops.reverse()) await stop();
});

function boto3(route: Route, ...actions: readonly string[]): Promise<Ran> {
  return runClient(route, PYTHON, [path.join(AWS_TESTS, 'clients/boto3_client.py'), ...actions], { S3_ENDPOINT: `https://${HOST}` });
}

function s3(sending: Sending): Sending {
  return { host: BUCKET_HOST, ...sending };
}

const put = { method: 'PUT', body: 'content of the object' } as const;
const chunks = { ...put, repeat: 10_000, payload: 'chunks' } as const;

test.serial('the gateway takes what is signed right, and nothing else', async (t) => {
  const sendings: readonly Sending[] = [put, { ...put, payload: 'unsigned' }, chunks, { payload: 'query' }];
  for (const good of sendings) {
    const { status, body } = await sendSigned(t, direct, s3(good));
    t.is(status, 200, `${good.payload ?? 'hash'}: ${body}`);
  }
  for (const spoil of ['key', 'target', 'body'] as const) {
    const { status } = await sendSigned(t, direct, s3({ ...put, spoil }));
    t.true(status === 403 || status === 400, spoil);
  }
  for (const spoil of ['chunk', 'chunk-signature'] as const) {
    const { status } = await sendSigned(t, direct, s3({ ...chunks, spoil }));
    t.is(status, 403, spoil);
  }
});

for (const way of ['direct', 'proxied'] as const) {
  const route = (): Route => (way === 'direct' ? direct : proxied.route);

  test.serial(`${way}: boto3 puts, gets and lists difficult names`, async (t) => {
    const done = printedJson(t, await boto3(route(), 's3-keys-virtual', 's3-keys-path'));
    t.deepEqual(done, { 's3-keys-virtual': { same: true, listed: [] }, 's3-keys-path': { same: true, listed: [] } });
  });

  test.serial(`${way}: boto3 uploads in parts, presigns and deletes`, async (t) => {
    const done = printedJson(t, await boto3(route(), 's3-multipart', 'presign', 's3-delete'));
    t.like(done, { 's3-multipart': { same: true }, 's3-delete': { same: true } });
    const { get } = done['presign'] as { get: string };
    const got = await runClient(route(), 'curl', ['-sS', '--cacert', route().caFile, get]);
    t.is(got.stdout, 'shared', got.stderr);
  });

  test.serial(`${way}: AWS CLI copies, lists and removes`, async (t) => {
    const aws = (...args: readonly string[]) => runClient(route(), '/usr/bin/aws', [...args, '--endpoint-url', `https://${HOST}`]);
    const file = path.join(AWS_TESTS, 'clients/node/package-lock.json');
    endedWell(t, await aws('s3', 'cp', file, 's3://photos/cli/ü 1+2'));
    const listed = await aws('s3', 'ls', 's3://photos/cli/');
    t.true(listed.stdout.includes('ü 1+2'), listed.stderr);
    endedWell(t, await aws('s3', 'rm', '--recursive', 's3://photos/cli/'));
    const denied = await runClient({ ...route(), accessKey: 'AKIDNOBODYNOBODYNOBO' }, '/usr/bin/aws', [
      's3',
      'ls',
      's3://photos/',
      '--endpoint-url',
      `https://${HOST}`,
    ]);
    t.not(denied.code, 0);
  });
}

test.serial('proxied: signed chunks of a client are signed anew', async (t) => {
  for (const sending of [chunks, { ...chunks, chunk_bytes: 8192 }, { ...chunks, repeat: 400_000 }]) {
    const sent = await sendSigned(t, proxied.route, s3(sending));
    t.is(sent.status, 200, sent.body);
    const got = await sendSigned(t, direct, s3({}));
    t.is(got.body.length, put.body.length * sending.repeat);
  }
});

/** Raw targets, without a signature of the client's own, and the key that the gateway must understand. */
const RAW: readonly (readonly [string, string])[] = [
  ['/raw/plain', 'raw/plain'],
  ['/raw/a%20b', 'raw/a b'],
  ['/raw/a+b', 'raw/a+b'],
  ['/raw/a%2Bb', 'raw/a+b'],
  ['/raw//x', 'raw//x'],
  ['/raw/trailing/', 'raw/trailing/'],
  ['/raw/~tilde', 'raw/~tilde'],
  ['/raw/%7Etilde', 'raw/~tilde'],
  ['/raw/%C3%BC', 'raw/ü'],
  ['/raw/%c3%bc', 'raw/ü'],
  ["/raw/!$&'()*,;=:@", "raw/!$&'()*,;=:@"],
  ['/raw/%21%24%26%27%28%29%2A%2C%3B%3D%3A%40', "raw/!$&'()*,;=:@"],
  ['/raw/100%25', 'raw/100%'],
  ['/raw/a%2Fb', 'raw/a/b'],
  ['/raw/c%2fd', 'raw/c/d'],
];

async function raw(t: ExecutionContext, sending: Sending): ReturnType<typeof sendSigned> {
  return sendSigned(t, proxied.route, s3({ ...sending, payload: 'none', headers: { 'X-Alter-Grant': proxied.grant } }));
}

for (const [target, key] of RAW) {
  test.serial(`proxied: the raw path ${target}`, async (t) => {
    const stored = await raw(t, { target, method: 'PUT', body: key });
    t.is(stored.status, 200, stored.body);
    const got = await raw(t, { target });
    t.is(Buffer.from(got.body, 'latin1').toString(), key);
    const listed = await raw(t, { target: '/?list-type=2&prefix=raw%2F' });
    t.true(
      Buffer.from(listed.body, 'latin1')
        .toString()
        .includes(`<Key>${key.replace('&', '&amp;').replace("'", '&apos;')}</Key>`),
      listed.body,
    );
  });
}

const QUERIES = [
  '/?location',
  '/?location=',
  '/?list-type=2&prefix=',
  '/?prefix=raw%2Fa%20b&delimiter=/',
  '/?prefix=raw/a%2bb&max-keys=5',
  '/?prefix=%E2%82%AC&marker=a%3Db%26c&Z=1&a=2',
  '/?prefix=a+b',
  '/?acl',
];

for (const target of QUERIES) {
  test.serial(`proxied: the raw query ${target}`, async (t) => {
    const { status, body } = await raw(t, { target });
    t.is(status, 200, body);
  });
}

test.serial('a repeated parameter is more than the gateway takes, whoever has signed it', async (t) => {
  const target = '/?max-keys=5&max-keys=6&list-type=2';
  t.is((await sendSigned(t, direct, s3({ target }))).status, 403);
  t.is((await raw(t, { target })).status, 403);
});
