import test from 'ava';
import { clientSignature } from '../../../src/aws/client-signature.ts';
import { HeaderList } from '../../../src/message/header-list.ts';
import { refusalOf } from '../../support/refusal.ts';

const KEY = 'alter_grant_0b54d9c5-6c1c-4c1e-9d3c-0a9a5e2f7b11';
const HEADER = `AWS4-HMAC-SHA256 Credential=${KEY}/20251125/eu-central-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=ab`;
const QUERY = [
  `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${KEY}%2F20251125%2Feu-central-1%2Fs3%2Faws4_request`,
  '&X-Amz-Date=20251125T120000Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host%3Bx-amz-acl&X-Amz-Signature=ab',
].join('');

const signed = (authorization: string, query?: string) => clientSignature(new HeaderList(['Authorization', authorization]), query);

test('a signature in the header names service and region', (t) => {
  t.like(signed(HEADER), {
    form: 'header',
    algorithm: 'hmac',
    service: 's3',
    region: 'eu-central-1',
    signedHeaders: ['host', 'x-amz-date'],
  });
});

test('so does one without spaces behind the commas', (t) => {
  t.like(signed(HEADER.replaceAll(', ', ',')), { service: 's3', region: 'eu-central-1' });
});

test('an access key id may hold slashes', (t) => {
  t.like(signed(HEADER.replace(KEY, 'my/key')), { service: 's3', region: 'eu-central-1' });
});

test('a presigned URL names its date and its life besides', (t) => {
  const found = clientSignature(new HeaderList(), `a=1&${QUERY}`);
  t.like(found, { form: 'query', service: 's3', region: 'eu-central-1', expiresS: 900, signedHeaders: ['host', 'x-amz-acl'] });
  t.is(found?.signedAt, Date.UTC(2025, 10, 25, 12));
});

test('a signature of SigV4a has a set of regions', (t) => {
  const headers = new HeaderList([
    ...['Authorization', `AWS4-ECDSA-P256-SHA256 Credential=${KEY}/20251125/s3/aws4_request, SignedHeaders=host, Signature=ab`],
    ...['X-Amz-Region-Set', 'us-*,eu-west-1'],
  ]);
  t.like(clientSignature(headers, undefined), { algorithm: 'ecdsa', service: 's3', region: undefined, regionSet: 'us-*,eu-west-1' });
});

for (const other of ['Bearer abc', 'Basic eDp5', 'AWS AKID:signature', `aws4-hmac-sha256 Credential=x`]) {
  test(`${other} is no signature of version 4`, (t) => {
    t.is(signed(other), undefined);
  });
}

test('a query with other parameters is none either', (t) => {
  t.is(clientSignature(new HeaderList(), 'X-Amz-Meta=1&list-type=2'), undefined);
  t.is(clientSignature(new HeaderList(), undefined), undefined);
});

for (const [name, authorization, query] of [
  ['two places', HEADER, QUERY],
  ['no scope', HEADER.replace('/eu-central-1/s3/aws4_request', ''), undefined],
  ['no access key id', HEADER.replace(`${KEY}/`, ''), undefined],
  ['another end of the scope', HEADER.replace('aws4_request', 'aws5_request'), undefined],
  ['a day that is none', HEADER.replace('20251125', 'today'), undefined],
  ['an empty service', HEADER.replace('/s3/', '//'), undefined],
  ['a space in the region', HEADER.replace('eu-central-1', 'eu central'), undefined],
  ['another algorithm', HEADER.replace('HMAC-SHA256', 'HMAC-SHA1'), undefined],
  ['no signed headers', HEADER.replace('SignedHeaders=host;x-amz-date, ', ''), undefined],
  ['a part twice', `${HEADER}, Credential=x`, undefined],
  ['a parameter twice', 'Bearer x', `${QUERY}&X-Amz-Date=20251125T120000Z`],
  ['a date that is none', 'Bearer x', QUERY.replace('20251125T120000Z', '2025-11-25')],
  ['an expiry beyond seven days', 'Bearer x', QUERY.replace('=900', '=604801')],
  ['an expiry of nothing', 'Bearer x', QUERY.replace('=900', '=0')],
  ['a presigned URL without its algorithm', 'Bearer x', QUERY.replace('X-Amz-Algorithm=AWS4-HMAC-SHA256&', '')],
] as const) {
  test(`a signature with ${name} is refused, and nothing of it is quoted`, (t) => {
    const refusal = refusalOf(() => signed(authorization, query));
    t.is(refusal.code, 'malformed_request');
    t.false(refusal.detail.includes('alter_grant'));
  });
}

test('two signatures in the header are refused', (t) => {
  t.is(
    refusalOf(() => clientSignature(new HeaderList(['Authorization', HEADER, 'authorization', HEADER]), undefined)).code,
    'malformed_request',
  );
});
