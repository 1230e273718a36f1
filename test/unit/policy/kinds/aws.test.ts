import test from 'ava';
import { HeaderList } from '../../../../src/message/header-list.ts';
import type { PolicyFacts } from '../../../../src/policy/rules.ts';
import { verdict } from '../../../support/policy-facts.ts';

const signedFor = (region: string, service: string): readonly string[] => [
  'Authorization',
  `AWS4-HMAC-SHA256 Credential=alter_grant_x/20251125/${region}/${service}/aws4_request, SignedHeaders=host, Signature=00`,
];
const JSON_TYPE = ['Content-Type', 'application/x-amz-json-1.0'];

/** A request to DynamoDB for an operation. */
const dynamodb = (operation: string, more: readonly string[] = []): Partial<PolicyFacts> => ({
  method: 'POST',
  host: 'dynamodb.eu-central-1.amazonaws.com',
  path: '/',
  headers: new HeaderList(['X-Amz-Target', `DynamoDB_20120810.${operation}`, ...JSON_TYPE, ...more]),
  body: { form: undefined },
});
/** A request to EC2 with a form. */
const ec2 = (form: string | undefined, changed: Partial<PolicyFacts> = {}): Partial<PolicyFacts> => ({
  method: 'POST',
  host: 'ec2.eu-central-1.amazonaws.com',
  path: '/',
  headers: new HeaderList(['Content-Type', 'application/x-www-form-urlencoded; charset=utf-8']),
  body: { form },
  ...changed,
});

test('services and regions are those of the host', (t) => {
  const rule = { kind: 'aws', services: ['dynamodb', 's3'], regions: ['eu-*'] };
  t.is(verdict(rule, { host: 'dynamodb.eu-central-1.amazonaws.com' }), 'allow');
  t.is(verdict(rule, { host: 'bucket.s3.eu-west-1.amazonaws.com' }), 'allow');
  t.is(verdict(rule, { host: 'dynamodb.us-east-1.amazonaws.com' }), 'deny');
  t.is(verdict(rule, { host: 'iam.eu-central-1.amazonaws.com' }), 'deny');
  t.is(verdict(rule, { host: 'dynamodb.eu-central-1.amazonaws.com.evil.test' }), 'deny');
});

test('where the host leaves it open, those for which the client has signed count', (t) => {
  const rule = { kind: 'aws', services: ['s3'], regions: ['eu-central-1'] };
  const at = (region: string, service = 's3') => ({
    host: 'b.s3-accelerate.amazonaws.com',
    headers: new HeaderList([...signedFor(region, service)]),
  });
  t.is(verdict(rule, at('eu-central-1')), 'allow');
  t.is(verdict(rule, at('us-east-1')), 'deny');
  t.is(verdict(rule, at('eu-central-1', 'iam')), 'deny');
  t.is(verdict(rule, { host: 'b.s3-accelerate.amazonaws.com' }), 'deny');
});

test('a signature that cannot be read, or contradicts the host, does not pass', (t) => {
  const rule = { kind: 'aws', services: ['s3'] };
  const host = 's3.eu-central-1.amazonaws.com';
  t.is(verdict(rule, { host, headers: new HeaderList([...signedFor('eu-central-1', 's3')]) }), 'allow');
  t.is(verdict(rule, { host, headers: new HeaderList([...signedFor('us-east-1', 's3')]) }), 'deny');
  t.is(verdict(rule, { host, headers: new HeaderList(['Authorization', 'AWS4-HMAC-SHA256 nonsense']) }), 'deny');
});

test('every region of a multi-region signature must be allowed', (t) => {
  const rule = { kind: 'aws', regions: ['eu-*'] };
  const at = (set: string) => ({
    host: 'x.mrap.accesspoint.s3-global.amazonaws.com',
    headers: new HeaderList([
      ...['Authorization', 'AWS4-ECDSA-P256-SHA256 Credential=k/20251125/s3/aws4_request, SignedHeaders=host, Signature=00'],
      ...['X-Amz-Region-Set', set],
    ]),
  });
  t.is(verdict(rule, at('eu-west-1,eu-central-*')), 'allow');
  for (const set of ['eu-west-1,us-east-1', '*', 'e*']) t.is(verdict(rule, at(set)), 'deny', set);
});

test('X-Amz-Target names the action', (t) => {
  const rule = { kind: 'aws', actions: ['dynamodb:Get*', 'dynamodb:Query'] };
  for (const operation of ['GetItem', 'Query']) t.is(verdict(rule, dynamodb(operation)), 'allow', operation);
  for (const operation of ['PutItem', 'QueryX', 'BatchGetItem', 'getItem', '']) t.is(verdict(rule, dynamodb(operation)), 'deny', operation);
});

test('what could make another action of it does not pass', (t) => {
  const rule = { kind: 'aws', actions: ['dynamodb:Get*'] };
  t.is(verdict(rule, dynamodb('GetItem', ['x-amz-target', 'DynamoDB_20120810.PutItem'])), 'deny');
  t.is(verdict(rule, dynamodb('GetItem', ['Smithy-Protocol', 'rpc-v2-cbor'])), 'deny');
  t.is(verdict(rule, { ...dynamodb('GetItem'), query: 'Action=PutItem' }), 'deny');
  t.is(verdict(rule, { ...dynamodb('GetItem'), path: '/service/DynamoDB/operation/PutItem' }), 'deny');
  t.is(verdict(rule, { ...dynamodb('GetItem'), method: 'PUT' }), 'deny');
  const headers = new HeaderList(['X-Amz-Target', 'DynamoDB_20120810.GetItem', 'Content-Type', 'text/plain']);
  t.is(verdict(rule, { ...dynamodb('GetItem'), headers }), 'deny');
});

test('Action names the action, in a form or in the query', (t) => {
  const rule = { kind: 'aws', actions: ['ec2:Describe*'] };
  t.is(verdict(rule, ec2('Version=2016-11-15&Action=DescribeInstances')), 'allow');
  t.is(verdict(rule, ec2('Action=Describe%49nstances')), 'allow');
  t.is(verdict(rule, ec2('Action=TerminateInstances&Version=1')), 'deny');
  t.is(verdict(rule, ec2(undefined, { method: 'GET', body: undefined, query: 'Action=DescribeInstances&Version=1' })), 'allow');
  t.is(verdict(rule, ec2(undefined, { method: 'GET', body: undefined, query: 'Action=RunInstances' })), 'deny');
});

for (const [name, facts] of [
  ['two of them', ec2('Action=DescribeInstances&Action=TerminateInstances')],
  ['two, one of them encoded', ec2('Action=DescribeInstances&%41ction=TerminateInstances')],
  ['two, behind a semicolon', ec2('Action=DescribeInstances&x=1;action=TerminateInstances')],
  ['one in the query besides', ec2('Action=TerminateInstances', { query: 'Action=DescribeInstances' })],
  ['one in the query, and a body that was not read', ec2(undefined, { query: 'Action=DescribeInstances' })],
  ['one in the query of a GET, and a body', ec2('Action=TerminateInstances', { method: 'GET', query: 'Action=DescribeInstances' })],
  [
    'a target besides',
    ec2('Action=TerminateInstances', { headers: new HeaderList(['X-Amz-Target', 'EC2.DescribeInstances', ...JSON_TYPE]) }),
  ],
  ['none', ec2('Version=2016-11-15')],
] as const) {
  test(`${name}: the action is unknown and does not pass`, (t) => {
    t.is(verdict({ kind: 'aws', actions: ['ec2:Describe*'] }, facts), 'deny');
  });
}

test('services whose operations are paths name no action', (t) => {
  const facts = { method: 'GET', host: 'lambda.eu-central-1.amazonaws.com', path: '/2015-03-31/functions' };
  t.is(verdict({ kind: 'aws', actions: ['lambda:*'] }, facts), 'deny');
  t.is(verdict({ kind: 'aws', services: ['lambda'] }, facts), 'allow');
});
