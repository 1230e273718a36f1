import test from 'ava';
import type { ClientSignature } from '../../../src/aws/client-signature.ts';
import { resolveScope } from '../../../src/aws/scope.ts';
import { refusalOf } from '../../support/refusal.ts';

const client = (service: string, region: string): ClientSignature => ({
  form: 'header',
  algorithm: 'hmac',
  service,
  region,
  regionSet: undefined,
  signedHeaders: ['host'],
  signedAt: undefined,
  expiresS: undefined,
});
const ecdsa = (service: string, regionSet?: string): ClientSignature => ({
  ...client(service, ''),
  algorithm: 'ecdsa',
  region: undefined,
  regionSet,
});

test('the host says it, whether the client has signed or not', (t) => {
  const scope = { service: 'dynamodb', regions: ['eu-central-1'] as const, multiRegion: false };
  t.deepEqual(resolveScope('dynamodb.eu-central-1.amazonaws.com', undefined), { ...scope, regions: ['eu-central-1'] });
  t.deepEqual(resolveScope('dynamodb.eu-central-1.amazonaws.com', client('dynamodb', 'eu-central-1')), {
    ...scope,
    regions: ['eu-central-1'],
  });
  t.like(resolveScope('dynamodb.eu-central-1.amazonaws.com', undefined, { region: 'us-east-1' }), { regions: ['eu-central-1'] });
});

test('where the host leaves it open, the client says it, and then the secret', (t) => {
  t.like(resolveScope('b.s3-accelerate.amazonaws.com', client('s3', 'eu-west-1'), { region: 'us-east-1' }), { regions: ['eu-west-1'] });
  t.like(resolveScope('b.s3-accelerate.amazonaws.com', undefined, { region: 'us-east-1' }), { regions: ['us-east-1'] });
  t.like(resolveScope('minio.example.com', client('s3', 'us-east-1')), { service: 's3', regions: ['us-east-1'] });
  t.like(resolveScope('acct.r2.cloudflarestorage.com', undefined, { region: 'auto', service: 's3' }), { service: 's3', regions: ['auto'] });
  t.like(resolveScope('new.eu-west-1.amazonaws.com', client('newsvc', 'eu-west-1')), { service: 'newsvc' });
});

test('the old global endpoint of S3 follows the client', (t) => {
  t.like(resolveScope('b.s3.amazonaws.com', undefined), { regions: ['us-east-1'] });
  t.like(resolveScope('b.s3.amazonaws.com', client('s3', 'eu-west-1')), { regions: ['eu-west-1'] });
});

test('a host with two signing names follows the client', (t) => {
  const host = '123456789012.s3-control.eu-west-1.amazonaws.com';
  t.like(resolveScope(host, undefined), { service: 's3' });
  t.like(resolveScope(host, client('s3-outposts', 'eu-west-1')), { service: 's3-outposts' });
});

for (const [name, host, signed, settings] of [
  ['the region of the host', 'sqs.eu-central-1.amazonaws.com', client('sqs', 'us-east-1'), {}],
  ['the service of the host', 'sqs.eu-central-1.amazonaws.com', client('iam', 'eu-central-1'), {}],
  ['the global region', 'iam.amazonaws.com', client('iam', 'eu-central-1'), {}],
  ['the service of the secret', 'minio.example.com', client('sts', 'us-east-1'), { service: 's3' }],
  ['the service of the host, by the secret', 'sqs.eu-central-1.amazonaws.com', undefined, { service: 's3' }],
  ['a host in one region, with SigV4a for another', 's3.eu-central-1.amazonaws.com', ecdsa('s3', 'us-*,eu-west-1'), {}],
  ['the service of a multi-region host', 'x.mrap.accesspoint.s3-global.amazonaws.com', ecdsa('events'), {}],
] as const) {
  test(`a contradiction with ${name} is refused`, (t) => {
    t.is(refusalOf(() => resolveScope(host, signed, settings)).code, 'signing_scope_mismatch');
  });
}

for (const [host, signed, settings] of [
  ['minio.example.com', undefined, {}],
  ['minio.example.com', undefined, { service: 's3' }],
  ['minio.example.com', undefined, { region: 'us-east-1' }],
  ['minio.example.com', undefined, { service: 's3', region: 'us-east-1,eu-west-1' }],
  ['minio.example.com', undefined, { service: 's3', region: 'us-*' }],
  ['b.s3-accelerate.amazonaws.com', undefined, {}],
  ['new.eu-west-1.amazonaws.com', undefined, {}],
  ['ec2.amazonaws.com', undefined, {}],
] as const) {
  test(`what nobody says of ${host} with ${JSON.stringify(settings)} is not guessed`, (t) => {
    t.is(refusalOf(() => resolveScope(host, signed, settings)).code, 'signing_scope_unknown');
  });
}

test('a multi-region access point is signed for the regions that the client names, or for all', (t) => {
  const host = 'x.mrap.accesspoint.s3-global.amazonaws.com';
  t.deepEqual(resolveScope(host, ecdsa('s3', 'us-east-1, eu-*')), { service: 's3', regions: ['us-east-1', 'eu-*'], multiRegion: true });
  t.deepEqual(resolveScope(host, undefined), { service: 's3', regions: ['*'], multiRegion: true });
  t.is(refusalOf(() => resolveScope(host, ecdsa('s3', 'us east'))).code, 'malformed_request');
});
