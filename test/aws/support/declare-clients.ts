/**
 * What AWS's clients do, the same on either way to the verifier. Every request must arrive with a signature that is right, and every client
 * must be content with the answers.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { allVerified, endedWell, printedJson } from './expectations.ts';
import { runClient, type Ran, type Route } from './route.ts';
import { AWS_TESTS, PYTHON, type SeenRequest, type VerifyingOrigin } from './verifying-origin.ts';

/** Where a client's requests go, and who judges them. */
export interface ClientScene {
  readonly route: Route;
  readonly origin: VerifyingOrigin;
}

/** Runs one client; answers what arrived. */
type Use = (t: ExecutionContext, scene: ClientScene) => Promise<void>;

const MIB = 1024 * 1024;

function awsCli(scene: ClientScene, ...args: readonly string[]): Promise<Ran> {
  return runClient(scene.route, '/usr/bin/aws', args);
}

function boto3(scene: ClientScene, ...actions: readonly string[]): Promise<Ran> {
  return runClient(scene.route, PYTHON, [path.join(AWS_TESTS, 'clients/boto3_client.py'), ...actions]);
}

/** Node reads its own variable for further CAs. */
function nodeSdk(scene: ClientScene, ...actions: readonly string[]): Promise<Ran> {
  const env = { NODE_EXTRA_CA_CERTS: scene.route.caFile };
  return runClient(scene.route, process.execPath, [path.join(AWS_TESTS, 'clients/node/client.mjs'), ...actions], env);
}

/** A remote that is made of environment variables. */
function rclone(scene: ClientScene, ...args: readonly string[]): Promise<Ran> {
  const env = {
    RCLONE_CONFIG_AWS_TYPE: 's3',
    RCLONE_CONFIG_AWS_PROVIDER: 'AWS',
    RCLONE_CONFIG_AWS_ENV_AUTH: 'true',
    RCLONE_CONFIG_AWS_REGION: 'us-east-1',
    RCLONE_CA_CERT: scene.route.caFile,
    // rclone 1.60 cannot take it.
    AWS_CA_BUNDLE: '',
    RCLONE_CONFIG: path.join(scene.route.folder, 'no-rclone.conf'),
  };
  return runClient(scene.route, 'rclone', ['--retries=1', '--low-level-retries=1', ...args], env);
}

/** It reads proxies from options of its own, without a key. */
function s3cmd(scene: ClientScene, ...args: readonly string[]): Promise<Ran> {
  const { route } = scene;
  const own = [`--access_key=${route.accessKey}`, `--secret_key=${route.secretKey}`, '--region=us-east-1', `--ca-certs=${route.caFile}`];
  const file = path.join(route.folder, 's3cmd.conf');
  return runClient(route, 's3cmd', ['-c', file, ...own, ...args]);
}

function curl(scene: ClientScene, ...args: readonly string[]): Promise<Ran> {
  return runClient(scene.route, 'curl', ['-sS', '--fail-with-body', '--cacert', scene.route.caFile, ...args]);
}

async function file(scene: ClientScene, name: string, bytes: number): Promise<{ readonly name: string; readonly content: Buffer }> {
  const content = randomBytes(bytes);
  const full = path.join(scene.route.folder, name);
  await mkdir(path.dirname(full), { recursive: true });
  await writeFile(full, content);
  return { name: full, content };
}

function targets(requests: readonly SeenRequest[]): string[] {
  return requests.map(({ method, target }) => `${method} ${target.replace(/\?.*/, '')}`);
}

const uses: Readonly<Record<string, Use>> = {
  'AWS CLI v2: cp, ls, parts, stdin': async (t, scene) => {
    const { name, content } = await file(scene, 'cli/größe 1+2.bin', 20 * MIB);
    endedWell(t, await awsCli(scene, 's3', 'cp', name, 's3://photos/cli/größe 1+2.bin'), scene.origin);
    const listed = await awsCli(scene, 's3', 'ls', 's3://photos/cli/');
    t.true(listed.stdout.includes('größe 1+2.bin'), listed.stderr);
    const copy = path.join(scene.route.folder, 'cli/copy.bin');
    endedWell(t, await awsCli(scene, 's3', 'cp', 's3://photos/cli/größe 1+2.bin', copy), scene.origin);
    t.true(content.equals(await readFile(copy)));
  },
  'AWS CLI v2: presigned URLs are good for curl': async (t, scene) => {
    const { name, content } = await file(scene, 'cli/shared.bin', 1000);
    endedWell(t, await awsCli(scene, 's3', 'cp', name, 's3://photos/shared cli'), scene.origin);
    const url = (await awsCli(scene, 's3', 'presign', 's3://photos/shared cli')).stdout.trim();
    const out = path.join(scene.route.folder, 'cli/shared.out');
    endedWell(t, await curl(scene, '-o', out, url), scene.origin);
    t.true(content.equals(await readFile(out)));
    t.true(scene.origin.seen.at(-1)?.in_query);
  },
  'AWS CLI v2: other services': async (t, scene) => {
    const calls = [
      ['dynamodb', 'list-tables'],
      ['dynamodb', 'get-item', '--table-name', 'orders', '--key', '{"id":{"S":"1"}}'],
      ['sqs', 'list-queues'],
      ['sts', 'get-caller-identity'],
      ['kms', 'list-keys'],
      ['lambda', 'list-functions'],
      ['lambda', 'invoke', '--function-name', 'f:live', '--payload', 'e30=', path.join(scene.route.folder, 'lambda.out')],
      ['dynamodb', 'list-tables', '--region', 'eu-central-1'],
    ];
    for (const call of calls) endedWell(t, await awsCli(scene, ...call), scene.origin);
  },
  'boto3: difficult names, virtual-hosted': async (t, scene) => {
    t.deepEqual(printedJson(t, await boto3(scene, 's3-keys-virtual'), scene.origin), { 's3-keys-virtual': { same: true, listed: [] } });
  },
  'boto3: difficult names, path style, and delete': async (t, scene) => {
    const done = printedJson(t, await boto3(scene, 's3-keys-path', 's3-delete'), scene.origin);
    t.deepEqual(done, { 's3-keys-path': { same: true, listed: [] }, 's3-delete': { same: true } });
  },
  'boto3: parts, and a checksum behind the body': async (t, scene) => {
    const done = printedJson(t, await boto3(scene, 's3-multipart', 's3-checksum'), scene.origin);
    t.like(done, { 's3-multipart': { same: true }, 's3-checksum': { same: true } });
    const streamed = scene.origin.seen.filter(({ headers }) => headers.some(([, value]) => value === 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'));
    t.true(streamed.length > 0);
  },
  'boto3: presigned URLs are good for curl': async (t, scene) => {
    const { presign } = printedJson(t, await boto3(scene, 'presign'), scene.origin) as { presign: { get: string; put: string } };
    const got = await curl(scene, presign.get);
    t.is(got.stdout, 'shared', got.stderr);
    const { name, content } = await file(scene, 'boto3/dropped', 5000);
    endedWell(t, await curl(scene, '-X', 'PUT', '-H', 'Content-Type: text/plain', '--data-binary', `@${name}`, presign.put), scene.origin);
    t.is(scene.origin.seen.at(-1)?.bytes, content.length);
  },
  'boto3: other services': async (t, scene) => {
    const { services } = printedJson(t, await boto3(scene, 'services'), scene.origin) as { services: Record<string, unknown> };
    t.deepEqual(services['dynamodb'], [['orders'], 'größe']);
    t.is(services['sts'], 'arn:aws:iam::123456789012:user/real');
    t.deepEqual(services['lambda'], [[], { a: 'ü' }]);
  },
  'AWS SDK for JavaScript v3: names, a stream with a trailer, parts, services': async (t, scene) => {
    const done = printedJson(t, await nodeSdk(scene, 'keys', 'stream', 'multipart', 'services'), scene.origin);
    const services = { dynamodb: [['orders'], 'größe'], sts: 'arn:aws:iam::123456789012:user/real' };
    t.deepEqual(done, { keys: { same: true }, stream: { same: true }, multipart: { same: true }, services });
  },
  'AWS SDK for JavaScript v3: a presigned URL is good for curl': async (t, scene) => {
    const { presign } = printedJson(t, await nodeSdk(scene, 'presign'), scene.origin) as { presign: { get: string } };
    const got = await curl(scene, presign.get);
    t.is(got.stdout, 'shared', got.stderr);
  },
  'rclone: copy, list, parts': async (t, scene) => {
    const small = await file(scene, 'rclone/up/ä b+c.txt', 1000);
    await file(scene, 'rclone/up/big.bin', 11 * MIB);
    const folder = path.dirname(small.name);
    const up = ['copy', folder, 'aws:photos/rclone', '--s3-upload-cutoff=5Mi', '--s3-chunk-size=5Mi', '--s3-no-check-bucket'];
    endedWell(t, await rclone(scene, ...up), scene.origin);
    const listed = await rclone(scene, 'lsf', 'aws:photos/rclone');
    t.deepEqual(listed.stdout.split('\n').sort(), ['', 'big.bin', 'ä b+c.txt'], listed.stderr);
    const read = await rclone(scene, 'hashsum', 'MD5', '--download', 'aws:photos/rclone');
    endedWell(t, read, scene.origin);
  },
  's3cmd: put, ls, get, parts': async (t, scene) => {
    const { route } = scene;
    await writeFile(
      path.join(route.folder, 's3cmd.conf'),
      `[default]\nproxy_host = 127.0.0.1\nproxy_port = ${String(route.proxyPort)}\nuse_https = True\n`,
    );
    const { name, content } = await file(scene, 's3cmd/ü b+c.bin', 6 * MIB);
    endedWell(t, await s3cmd(scene, 'put', '--multipart-chunk-size-mb=5', name, 's3://photos/s3cmd/ü b+c.bin'), scene.origin);
    const listed = await s3cmd(scene, 'ls', 's3://photos/s3cmd/');
    t.true(listed.stdout.includes('ü b+c.bin'), listed.stderr);
    const copy = path.join(route.folder, 's3cmd/copy');
    endedWell(t, await s3cmd(scene, 'get', '--force', 's3://photos/s3cmd/ü b+c.bin', copy), scene.origin);
    t.true(content.equals(await readFile(copy)));
  },
  'curl --aws-sigv4: query protocol and JSON': async (t, scene) => {
    const { accessKey, secretKey } = scene.route;
    const signing = (service: string) => ['--aws-sigv4', `aws:amz:us-east-1:${service}`, '--user', `${accessKey}:${secretKey}`];
    const sts = await curl(
      scene,
      ...signing('sts'),
      '-d',
      'Action=GetCallerIdentity&Version=2011-06-15',
      'https://sts.us-east-1.amazonaws.com/',
    );
    t.true(sts.stdout.includes('user/real'), sts.stdout + sts.stderr);
    const json = ['-H', 'X-Amz-Target: DynamoDB_20120810.ListTables', '-H', 'Content-Type: application/x-amz-json-1.0', '-d', '{}'];
    const tables = await curl(scene, ...signing('dynamodb'), ...json, 'https://dynamodb.us-east-1.amazonaws.com/');
    t.deepEqual(JSON.parse(tables.stdout), { TableNames: ['orders'] });
  },
};

/** Declares a test for each. They run one after the other, because the verifier's record is what is asserted on. */
export function declareClients(way: string, scene: () => ClientScene): void {
  for (const [what, use] of Object.entries(uses)) {
    test.serial(`${way}: ${what}`, async (t) => {
      const { origin } = scene();
      const from = origin.seen.length;
      await use(t, scene());
      const requests = allVerified(t, origin, from);
      t.log(`${requests.length} requests, such as ${targets(requests)[0] ?? ''}`);
    });
  }
}
