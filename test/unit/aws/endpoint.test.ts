import test from 'ava';
import { describeEndpoint } from '../../../src/aws/endpoint.ts';

/** Host, signing names, region. */
const ENDPOINTS: readonly (readonly [host: string, services: string, region: string | undefined])[] = [
  // Regional endpoints, in every partition, with and without FIPS and dual stack.
  ['dynamodb.eu-central-1.amazonaws.com', 'dynamodb', 'eu-central-1'],
  ['dynamodb.us-east-1.api.aws', 'dynamodb', 'us-east-1'],
  ['dynamodb-fips.us-east-1.amazonaws.com', 'dynamodb', 'us-east-1'],
  ['kms.us-gov-west-1.amazonaws.com', 'kms', 'us-gov-west-1'],
  ['sqs.cn-northwest-1.amazonaws.com.cn', 'sqs', 'cn-northwest-1'],
  ['lambda.cn-north-1.api.amazonwebservices.com.cn', 'lambda', 'cn-north-1'],
  ['kms.us-iso-east-1.c2s.ic.gov', 'kms', 'us-iso-east-1'],
  ['kms.us-isob-east-1.sc2s.sgov.gov', 'kms', 'us-isob-east-1'],
  ['kms.eu-isoe-west-1.cloud.adc-e.uk', 'kms', 'eu-isoe-west-1'],
  ['kms.us-isof-south-1.csp.hci.ic.gov', 'kms', 'us-isof-south-1'],
  ['kms.eusc-de-east-1.amazonaws.eu', 'kms', 'eusc-de-east-1'],
  ['kms.eusc-de-east-1.api.amazonwebservices.eu', 'kms', 'eusc-de-east-1'],
  ['fips.transcribe.us-east-1.amazonaws.com', 'transcribe', 'us-east-1'],
  // Prefixes that are not the signing name.
  ['email.eu-west-1.amazonaws.com', 'ses', 'eu-west-1'],
  ['api.ecr.us-east-1.amazonaws.com', 'ecr', 'us-east-1'],
  ['bedrock-runtime.us-east-1.amazonaws.com', 'bedrock', 'us-east-1'],
  ['runtime.sagemaker.us-east-1.amazonaws.com', 'sagemaker', 'us-east-1'],
  ['runtime-fips.sagemaker.us-east-1.amazonaws.com', 'sagemaker', 'us-east-1'],
  ['streams.dynamodb.us-east-1.amazonaws.com', 'dynamodb', 'us-east-1'],
  ['portal.sso.eu-west-1.amazonaws.com', 'awsssoportal', 'eu-west-1'],
  ['metering.marketplace.us-east-1.amazonaws.com', 'aws-marketplace', 'us-east-1'],
  ['pinpoint.us-east-1.amazonaws.com', 'mobiletargeting', 'us-east-1'],
  // Two versions of one service under the same names.
  ['maps.geo.us-east-1.amazonaws.com', 'geo-maps geo', 'us-east-1'],
  ['places.geo.eu-west-1.amazonaws.com', 'geo-places geo', 'eu-west-1'],
  ['routes.geo.us-east-1.api.aws', 'geo-routes geo', 'us-east-1'],
  ['geofencing.geo.us-east-1.amazonaws.com', '', 'us-east-1'],
  // S3.
  ['s3.amazonaws.com', 's3', undefined],
  ['bucket.s3.amazonaws.com', 's3', undefined],
  ['s3.eu-central-1.amazonaws.com', 's3', 'eu-central-1'],
  ['my.bucket.s3.eu-central-1.amazonaws.com', 's3', 'eu-central-1'],
  ['us-east-1.s3.us-west-2.amazonaws.com', 's3', 'us-west-2'],
  ['bucket.s3.dualstack.us-west-2.amazonaws.com', 's3', 'us-west-2'],
  ['s3-fips.dualstack.us-gov-west-1.amazonaws.com', 's3', 'us-gov-west-1'],
  ['bucket.s3-us-west-2.amazonaws.com', 's3', 'us-west-2'],
  ['s3-external-1.amazonaws.com', 's3', 'us-east-1'],
  ['bucket.s3-accelerate.amazonaws.com', 's3', undefined],
  ['bucket.s3-accelerate.dualstack.amazonaws.com', 's3', undefined],
  ['ap-123456789012.s3-accesspoint.us-west-2.amazonaws.com', 's3', 'us-west-2'],
  ['ap-123456789012.s3-accesspoint-fips.dualstack.us-east-1.amazonaws.com', 's3', 'us-east-1'],
  ['123456789012.s3-control.eu-west-1.amazonaws.com', 's3 s3-outposts', 'eu-west-1'],
  ['ol-123456789012.s3-object-lambda.us-west-2.amazonaws.com', 's3-object-lambda', 'us-west-2'],
  ['ap.op-01.s3-outposts.us-west-2.amazonaws.com', 's3-outposts', 'us-west-2'],
  ['b--use1-az4--x-s3.s3express-use1-az4.us-east-1.amazonaws.com', 's3express', 'us-east-1'],
  ['s3express-control.us-east-1.amazonaws.com', 's3express', 'us-east-1'],
  // Names of the customer's in front.
  ['a1b2c3.execute-api.eu-west-1.amazonaws.com', 'execute-api', 'eu-west-1'],
  ['abc123.lambda-url.eu-west-1.on.aws', 'lambda', 'eu-west-1'],
  ['svc-1.x.vpc-lattice-svcs.eu-west-1.on.aws', 'vpc-lattice-svcs', 'eu-west-1'],
  ['search-logs-abc.eu-west-1.es.amazonaws.com', 'es', 'eu-west-1'],
  ['search-logs-abc.aos.us-east-1.on.aws', 'es', 'us-east-1'],
  ['abc.us-east-1.aoss.amazonaws.com', 'aoss', 'us-east-1'],
  ['123456789012.ddb.us-east-1.amazonaws.com', 'dynamodb', 'us-east-1'],
  ['a1-ats.iot.us-east-1.amazonaws.com', 'iotdata iotdevicegateway iot-jobs-data', 'us-east-1'],
  ['iot.us-east-1.amazonaws.com', 'iot', 'us-east-1'],
  ['x.appsync-api.us-east-1.amazonaws.com', 'appsync', 'us-east-1'],
  // PrivateLink.
  ['vpce-1a-2b.sqs.us-east-1.vpce.amazonaws.com', 'sqs', 'us-east-1'],
  ['vpce-1a-2b-us-east-1a.execute-api.us-east-1.vpce.amazonaws.com', 'execute-api', 'us-east-1'],
  ['bucket.vpce-1a-2b.s3.us-east-1.vpce.amazonaws.com', 's3', 'us-east-1'],
  ['logs.bucket.vpce-1a-2b.s3.us-east-1.vpce.amazonaws.com', 's3', 'us-east-1'],
  // One endpoint for a partition.
  ['iam.amazonaws.com', 'iam', 'us-east-1'],
  ['iam.us-gov.amazonaws.com', 'iam', 'us-gov-west-1'],
  ['iam.cn-north-1.amazonaws.com.cn', 'iam', 'cn-north-1'],
  ['sts.amazonaws.com', 'sts', 'us-east-1'],
  ['sts.eu-central-1.amazonaws.com', 'sts', 'eu-central-1'],
  ['route53.amazonaws.com', 'route53', 'us-east-1'],
  ['route53.amazonaws.com.cn', 'route53', 'cn-northwest-1'],
  ['global.health.amazonaws.com', 'health', 'us-east-1'],
  ['cloudfront.global.api.aws', 'cloudfront', 'us-east-1'],
  ['globalaccelerator.amazonaws.com', 'globalaccelerator', 'us-west-2'],
  // Of old.
  ['queue.amazonaws.com', 'sqs', 'us-east-1'],
  ['us-west-2.queue.amazonaws.com', 'sqs', 'us-west-2'],
  ['sdb.amazonaws.com', 'sdb', 'us-east-1'],
  // What the name does not say is not guessed.
  ['ec2.amazonaws.com', 'ec2', undefined],
  ['newservice.eu-west-1.amazonaws.com', '', 'eu-west-1'],
  ['x.ec2.eu-west-1.amazonaws.com', '', 'eu-west-1'],
];

for (const [host, services, region] of ENDPOINTS) {
  test(`${host} is an endpoint of ${services === '' ? 'an unknown service' : services} in ${region ?? 'an open region'}`, (t) => {
    const endpoint = describeEndpoint(host);
    t.is(endpoint?.services.join(' '), services);
    t.is(endpoint?.region, region);
  });
}

for (const host of [
  'amazonaws.com',
  's3.amazonaws.com.evil.test',
  'evilamazonaws.com',
  's3.amazonaws.org',
  'api.example.com',
  '127.0.0.1',
]) {
  test(`${host} is no endpoint of AWS`, (t) => {
    t.is(describeEndpoint(host), undefined);
  });
}

test('the old global endpoint of S3 is in one region unless the client says another', (t) => {
  t.is(describeEndpoint('bucket.s3.amazonaws.com')?.usualRegion, 'us-east-1');
  t.is(describeEndpoint('bucket.s3-accelerate.amazonaws.com')?.usualRegion, undefined);
});

test('the partition is known by the suffix, and that of the government by its regions', (t) => {
  t.is(describeEndpoint('s3.us-gov-west-1.amazonaws.com')?.partition, 'aws-us-gov');
  t.is(describeEndpoint('s3.us-west-1.amazonaws.com')?.partition, 'aws');
  t.is(describeEndpoint('s3.cn-north-1.amazonaws.com.cn')?.partition, 'aws-cn');
  t.is(describeEndpoint('s3.eusc-de-east-1.amazonaws.eu')?.partition, 'aws-eusc');
});
