// What it costs to sign a request for AWS, beside aws4: node bench/sigv4.mjs [folder of the compiled code]
// Microseconds of CPU a request, the best of seven rounds. The target is 60.
import { hash } from 'node:crypto';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import aws4 from 'aws4';

const dist = resolve(process.argv[2] ?? 'dist');
const load = (file) => import(pathToFileURL(`${dist}/src/${file}.js`).href);
const { prepareInjection } = await load('inject/registry');
const { HeaderList } = await load('message/header-list');
const { Secret } = await load('secret/secret');
const { shippedProviders } = await load('providers/shipped');

const ROUNDS = 7;
const REQUESTS = 20_000;
const KEY = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };
const BODY = Buffer.from(JSON.stringify({ TableName: 'orders', Key: { id: { S: '4711' } }, ConsistentRead: true }));
const TARGET = 'DynamoDB_20120810.GetItem';
const DUMMY = 'AWS4-HMAC-SHA256 Credential=alter_grant_0b54d9c5-6c1c-4c1e-9d3c-0a9a5e2f7b11/20251125/eu-central-1';
const PRESIGN = [
  'X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=alter_grant_x%2F20251125%2Feu-central-1%2Fs3%2Faws4_request',
  '&X-Amz-Expires=604800&X-Amz-SignedHeaders=host&X-Amz-Signature=00&X-Amz-Date=',
].join('');

const injection = prepareInjection(shippedProviders().get('aws'), {
  access_key_id: new Secret(KEY.accessKeyId),
  secret_access_key: new Secret(KEY.secretAccessKey),
});

const body = { digest: (algorithm) => Promise.resolve(hash(algorithm, BODY, 'hex')), transform: () => undefined };
const sdkHeaders = (service) => [
  ...['User-Agent', 'aws-sdk-js/3', 'Accept', '*/*', 'Amz-Sdk-Invocation-Id', 'x', 'X-Amz-Date', '20251125T120000Z'],
  ...['Authorization', `${DUMMY}/${service}/aws4_request, SignedHeaders=host;x-amz-date, Signature=00`],
];
const draft = (method, host, path, query, headers, content) => ({
  method,
  origin: { scheme: 'https', host, port: 443 },
  url: { path, query },
  headers: new HeaderList(headers),
  bodyLength: content === undefined ? { kind: 'none' } : { kind: 'length', bytes: content.length },
  ...(content === undefined ? {} : { body }),
});

const now = new Date().toISOString().slice(0, 19).replace(/[:-]/g, '');
const CASES = {
  'DynamoDB GetItem, body hashed': () =>
    injection.apply(
      draft(
        'POST',
        'dynamodb.eu-central-1.amazonaws.com',
        '/',
        undefined,
        [...sdkHeaders('dynamodb'), 'X-Amz-Target', TARGET, 'Content-Type', 'application/x-amz-json-1.0'],
        BODY,
      ),
    ),
  'S3 GET object': () =>
    injection.apply(draft('GET', 'bucket.s3.eu-central-1.amazonaws.com', '/folder/key.txt', undefined, sdkHeaders('s3'))),
  'S3 presigned GET': () =>
    injection.apply(draft('GET', 'bucket.s3.eu-central-1.amazonaws.com', '/folder/key.txt', `${PRESIGN}${now}Z`, ['Accept', '*/*'])),
  'aws4: DynamoDB GetItem': () =>
    aws4.sign(
      {
        host: 'dynamodb.eu-central-1.amazonaws.com',
        method: 'POST',
        path: '/',
        service: 'dynamodb',
        region: 'eu-central-1',
        headers: { 'X-Amz-Target': TARGET, 'Content-Type': 'application/x-amz-json-1.0' },
        body: BODY,
      },
      KEY,
    ),
};

for (const [name, run] of Object.entries(CASES)) {
  const costs = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = process.cpuUsage();
    for (let i = 0; i < REQUESTS; i += 1) {
      const pending = run();
      if (pending instanceof Promise) await pending;
    }
    const { user, system } = process.cpuUsage(before);
    costs.push((user + system) / REQUESTS);
  }
  console.log(`${name.padEnd(36)} ${Math.min(...costs).toFixed(1)} µs`);
}
