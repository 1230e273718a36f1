import test from 'ava';
import { multiRegionService, parseRegionSet, regionOutside } from '../../../src/aws/multi-region.ts';

const HOSTS: readonly (readonly [string, string | undefined])[] = [
  ['mfzwi23gnjvgw.mrap.accesspoint.s3-global.amazonaws.com', 's3'],
  ['mfzwi23gnjvgw.mrap.accesspoint.s3-global.amazonaws.com.cn', 's3'],
  ['abcde.veo.endpoint.events.amazonaws.com', 'events'],
  ['abcde.veo.endpoint.events.api.aws', 'events'],
  ['abcdef12.g3h.endpoints.email.amazonaws.com', 'ses'],
  ['abcdef12.g3h.endpoints.email.global.api.aws', 'ses'],
  ['123456789012.cloudfront-kvs.global.api.aws', 'cloudfront-keyvaluestore'],
  ['accesspoint.s3-global.amazonaws.com', undefined],
  ['mfzwi23gnjvgw.mrap.accesspoint.s3-global.amazonaws.com.evil.test', undefined],
  ['mfzwi23gnjvgw.mrap.accesspoint.s3-global.evilamazonaws.com', undefined],
  ['mfzwi23gnjvgw.mrap.accesspoint.s3-globalxamazonaws.com', undefined],
  ['mfzwi23gnjvgw.mrap.accesspoint-s3-global.amazonaws.com', undefined],
  ['my-ap-123456789012.s3-accesspoint.us-west-2.amazonaws.com', undefined],
  ['bucket.s3.us-east-1.amazonaws.com', undefined],
  ['events.us-east-1.amazonaws.com', undefined],
  ['12345678901.cloudfront-kvs.global.api.aws', undefined],
  ['amazonaws.com', undefined],
];

for (const [host, service] of HOSTS) {
  test(`${host}: ${service ?? 'no multi-region endpoint'}`, (t) => t.is(multiRegionService(host), service));
}

test('a region set is a list of regions and patterns', (t) => {
  t.deepEqual(parseRegionSet('*'), ['*']);
  t.deepEqual(parseRegionSet('us-east-1'), ['us-east-1']);
  t.deepEqual(parseRegionSet('us-east-1, eu-west-1,us-gov-west-1'), ['us-east-1', 'eu-west-1', 'us-gov-west-1']);
  t.deepEqual(parseRegionSet('us-west-*'), ['us-west-*']);
});

for (const text of ['', ',', 'us-east-1,', '**', 'us east 1', 'US-EAST-1', 'us-east-1;*', 'us-*-1', 'us-east-1\r\nx: y']) {
  test(`no region set: ${JSON.stringify(text)}`, (t) => t.is(parseRegionSet(text), undefined));
}

test('a region set has a bound', (t) => {
  const regions = (count: number): string => Array.from({ length: count }, (_, number) => `us-east-${number}`).join();
  t.is(parseRegionSet(regions(64))?.length, 64);
  t.is(parseRegionSet(regions(65)), undefined);
});

test('a region set lies within an allow-list, or not', (t) => {
  t.is(regionOutside(['us-east-1'], ['us-east-1', 'eu-west-1']), undefined);
  t.is(regionOutside(['us-east-1', 'us-east-2'], ['us-east-1']), 'us-east-2');
  t.is(regionOutside(['*'], ['us-east-1']), '*');
  t.is(regionOutside(['us-east-*'], ['us-east-1', 'us-east-2']), 'us-east-*');
  t.is(regionOutside(['*'], ['*']), undefined);
});
