import test from 'ava';
import { s3Actions } from '../../../src/aws/s3-action.ts';
import { HeaderList } from '../../../src/message/header-list.ts';

const PATH_STYLE = 's3.eu-central-1.amazonaws.com';
const HOST_STYLE = 'my.bucket.s3.eu-central-1.amazonaws.com';

function actions(request: string, fields: readonly string[] = [], host = PATH_STYLE): string | undefined {
  const [method = '', target = ''] = request.split(' ');
  const [path = '', query] = target.split('?');
  return s3Actions({ method, host, path, query, headers: new HeaderList([...fields]) })?.join(' ');
}

for (const [request, action] of [
  ['GET /', 's3:ListAllMyBuckets'],
  ['GET /?x-id=ListBuckets', 's3:ListAllMyBuckets'],
  ['GET /b', 's3:ListBucket'],
  ['GET /b?list-type=2&prefix=a%2F&delimiter=%2F', 's3:ListBucket'],
  ['HEAD /b/', 's3:ListBucket'],
  ['PUT /b', 's3:CreateBucket'],
  ['GET /b?location', 's3:GetBucketLocation'],
  ['GET /b?location=', 's3:GetBucketLocation'],
  ['PUT /b?policy', 's3:PutBucketPolicy'],
  ['GET /b?uploads', 's3:ListBucketMultipartUploads'],
  ['POST /b?delete', 's3:DeleteObject s3:DeleteObjectVersion'],
  ['GET /b/k', 's3:GetObject'],
  ['HEAD /b/k?partNumber=1', 's3:GetObject'],
  ['GET /b//k', 's3:GetObject'],
  ['GET /b/a%2Fk', 's3:GetObject'],
  ['GET /b/k?versionId=1', 's3:GetObjectVersion'],
  ['GET /b/k?response-content-type=a%2Fb&X-Amz-Algorithm=x&X-Amz-Signature=y', 's3:GetObject'],
  ['PUT /b/k?x-id=PutObject', 's3:PutObject'],
  ['PUT /b/k?partNumber=1&uploadId=x', 's3:PutObject'],
  ['POST /b/k?uploads', 's3:PutObject'],
  ['DELETE /b/k', 's3:DeleteObject'],
  ['DELETE /b/k?uploadId=x', 's3:AbortMultipartUpload'],
  ['PUT /b/k?tagging', 's3:PutObjectTagging'],
] as const) {
  test(`${request} is ${action}`, (t) => {
    t.is(actions(request), action);
  });
}

for (const request of [
  'GET /b/k?acl&tagging',
  'PUT /b/k?x-amz-acl=public-read',
  'PUT /b/k?something',
  'GET /b/k?Versionid=1',
  'POST /b',
  'PATCH /b/k',
  'PUT /',
  'GET //k',
  'DELETE /b?versioning',
  'GET /b%2Fk',
  'DELETE /b%2Fk',
  'PUT /b%2F',
  'GET /%2Fb',
  'GET /b%252Fk',
]) {
  test(`${request} is not known`, (t) => {
    t.is(actions(request), undefined);
  });
}

test('with the bucket in the host the whole path is the key', (t) => {
  t.is(actions('GET /', [], HOST_STYLE), 's3:ListBucket');
  t.is(actions('GET /k', [], HOST_STYLE), 's3:GetObject');
  t.is(actions('GET /k', [], 'b.s3-accelerate.amazonaws.com'), 's3:GetObject');
  t.is(actions('GET /k', [], 'b.s3.amazonaws.com'), 's3:GetObject');
  t.is(actions('GET /k', [], 'b.s3-us-west-2.amazonaws.com'), 's3:GetObject');
  t.is(actions('GET /k', [], 'ap-1.s3-accesspoint.us-west-2.amazonaws.com'), 's3:GetObject');
  t.is(actions('GET /%2Fk', [], HOST_STYLE), 's3:GetObject');
  t.is(actions('DELETE /k', [], 'dualstack.s3.us-east-1.amazonaws.com'), 's3:DeleteObject');
  t.is(actions('DELETE /k', [], 'b.s3.dualstack.us-east-1.amazonaws.com'), 's3:DeleteObject');
  t.is(actions('GET /k', [], 'b.bucket.vpce-1.s3.us-east-1.vpce.amazonaws.com'), 's3:GetObject');
});

test('without, its first segment is the bucket', (t) => {
  for (const host of [
    's3.amazonaws.com',
    's3-us-west-2.amazonaws.com',
    's3.dualstack.us-west-2.amazonaws.com',
    's3-fips.us-east-1.amazonaws.com',
  ])
    t.is(actions('GET /k', [], host), 's3:ListBucket', host);
  t.is(actions('GET /k', [], 'bucket.vpce-1.s3.us-east-1.vpce.amazonaws.com'), 's3:ListBucket');
});

test('of other hosts it is not known where the bucket stands', (t) => {
  t.is(actions('GET /b/k', [], 'minio.example.com'), undefined);
  t.is(actions('GET /v20180820/bucket', [], '123456789012.s3-control.eu-west-1.amazonaws.com'), undefined);
});

test('a copy, an ACL, a tag and a lock need more', (t) => {
  t.is(actions('PUT /b/k', ['X-Amz-Copy-Source', '/b/other']), 's3:PutObject s3:GetObject s3:GetObjectVersion');
  t.is(actions('PUT /b/k', ['x-amz-acl', 'public-read', 'x-amz-tagging', 'a=b']), 's3:PutObject s3:PutObjectAcl s3:PutObjectTagging');
  t.is(actions('DELETE /b/k', ['x-amz-bypass-governance-retention', 'true']), 's3:DeleteObject s3:BypassGovernanceRetention');
});
