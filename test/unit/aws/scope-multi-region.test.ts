/** Which regions a signature of SigV4a is made for: those of the client, within those of the secret; nothing is widened. */
import test from 'ava';
import type { ClientSignature } from '../../../src/aws/client-signature.ts';
import { resolveScope } from '../../../src/aws/scope.ts';
import { refusalOf } from '../../support/refusal.ts';

const ACCESS_POINT = 'mfzwi23gnjvgw.mrap.accesspoint.s3-global.amazonaws.com';
const BUCKET = 'bucket.s3.us-east-1.amazonaws.com';

function signed(service: string, regionSet: string | undefined): ClientSignature {
  const rest = { region: undefined, signedHeaders: ['host'], signedAt: undefined, expiresS: undefined };
  return { form: 'header', algorithm: 'ecdsa', service, regionSet, ...rest };
}

const HMAC: ClientSignature = { ...signed('s3', undefined), algorithm: 'hmac', region: 'us-east-1' };

test('a multi-region endpoint takes SigV4a, however the client has signed', (t) => {
  const all = { service: 's3', regions: ['*'], multiRegion: true };
  t.deepEqual(resolveScope(ACCESS_POINT, undefined), all);
  t.deepEqual(resolveScope(ACCESS_POINT, HMAC), all);
  t.deepEqual(resolveScope(ACCESS_POINT, signed('s3', '*')), all);
  t.deepEqual(resolveScope(ACCESS_POINT, signed('s3', 'us-east-1, eu-west-*')), { ...all, regions: ['us-east-1', 'eu-west-*'] });
  t.deepEqual(resolveScope('abcde.veo.endpoint.events.amazonaws.com', undefined), { ...all, service: 'events' });
});

test('any other host takes SigV4a from a client that has signed with it', (t) => {
  const regions = { service: 's3', regions: ['us-east-1'], multiRegion: true };
  t.deepEqual(resolveScope(BUCKET, signed('s3', 'us-east-1')), regions);
  t.deepEqual(resolveScope(BUCKET, signed('s3', 'us-east-*')).regions, ['us-east-*']);
  t.deepEqual(resolveScope(BUCKET, signed('s3', 'eu-west-1,*')).regions, ['eu-west-1', '*']);
  for (const set of ['eu-west-1', 'us-east-2', 'us-east-11', 'us-west-*']) {
    t.is(refusalOf(() => resolveScope(BUCKET, signed('s3', set))).code, 'signing_scope_mismatch', set);
  }
  t.deepEqual(resolveScope('storage.example.com', signed('s3', 'us-east-1')), regions);
  t.deepEqual(resolveScope(BUCKET, HMAC), { ...regions, multiRegion: false });
  t.deepEqual(resolveScope(BUCKET, undefined), { ...regions, multiRegion: false });
});

test('the regions of the secret bound those of the client, and stand in where it names none', (t) => {
  const settings = { region: 'us-east-1,eu-west-1' };
  t.deepEqual(resolveScope(ACCESS_POINT, undefined, settings).regions, ['us-east-1', 'eu-west-1']);
  t.deepEqual(resolveScope(ACCESS_POINT, signed('s3', 'eu-west-1'), settings).regions, ['eu-west-1']);
  for (const set of ['*', 'eu-west-*', 'eu-west-1,eu-west-2']) {
    t.is(refusalOf(() => resolveScope(ACCESS_POINT, signed('s3', set), settings)).code, 'signing_scope_mismatch', set);
  }
});

test('a region set that is missing or malformed is refused, another service than that of the host, too', (t) => {
  for (const set of [undefined, '', 'us-east-1;eu-west-1']) {
    t.is(refusalOf(() => resolveScope(ACCESS_POINT, signed('s3', set))).code, 'malformed_request', String(set));
  }
  t.is(refusalOf(() => resolveScope(ACCESS_POINT, signed('sqs', '*'))).code, 'signing_scope_mismatch');
  t.is(refusalOf(() => resolveScope(BUCKET, signed('sqs', '*'))).code, 'signing_scope_mismatch');
});
