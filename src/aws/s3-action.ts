import type { HeaderList } from '../message/header-list.ts';
import { parameterName } from '../message/query.ts';
import { isRegionName, splitEndpoint } from './partitions.ts';

/** What of a request tells the operation of S3. */
export interface S3Request {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly query: string | undefined;
  readonly headers: Pick<HeaderList, 'has'>;
}

/** Parameters that change what comes back, not what is done. */
const NEUTRAL: ReadonlySet<string> = new Set([
  ...[
    'x-id',
    'list-type',
    'prefix',
    'delimiter',
    'max-keys',
    'marker',
    'continuation-token',
    'start-after',
    'encoding-type',
    'fetch-owner',
  ],
  ...[
    'key-marker',
    'version-id-marker',
    'upload-id-marker',
    'max-uploads',
    'part-number-marker',
    'max-parts',
    'max-buckets',
    'bucket-region',
  ],
  ...['response-content-type', 'response-content-language', 'response-expires', 'response-cache-control', 'response-content-disposition'],
  ...['response-content-encoding', 'partNumber'],
]);

/** By method and subresource; of an object. `''`: none. */
const OBJECT: Readonly<Record<string, string>> = {
  'GET ': 'GetObject',
  'HEAD ': 'GetObject',
  'GET versionId': 'GetObjectVersion',
  'HEAD versionId': 'GetObjectVersion',
  'GET acl': 'GetObjectAcl',
  'GET attributes': 'GetObjectAttributes',
  'GET legal-hold': 'GetObjectLegalHold',
  'GET retention': 'GetObjectRetention',
  'GET tagging': 'GetObjectTagging',
  'GET uploadId': 'ListMultipartUploadParts',
  'PUT ': 'PutObject',
  'PUT uploadId': 'PutObject',
  'PUT acl': 'PutObjectAcl',
  'PUT legal-hold': 'PutObjectLegalHold',
  'PUT retention': 'PutObjectRetention',
  'PUT tagging': 'PutObjectTagging',
  'POST uploads': 'PutObject',
  'POST uploadId': 'PutObject',
  'POST restore': 'RestoreObject',
  'DELETE ': 'DeleteObject',
  'DELETE versionId': 'DeleteObjectVersion',
  'DELETE uploadId': 'AbortMultipartUpload',
  'DELETE tagging': 'DeleteObjectTagging',
};

/** The same of a bucket. */
const BUCKET: Readonly<Record<string, string>> = {
  'GET ': 'ListBucket',
  'HEAD ': 'ListBucket',
  'PUT ': 'CreateBucket',
  'DELETE ': 'DeleteBucket',
  'GET versions': 'ListBucketVersions',
  'GET uploads': 'ListBucketMultipartUploads',
  'GET location': 'GetBucketLocation',
  'GET acl': 'GetBucketAcl',
  'PUT acl': 'PutBucketAcl',
  'GET cors': 'GetBucketCORS',
  'PUT cors': 'PutBucketCORS',
  'DELETE cors': 'PutBucketCORS',
  'GET encryption': 'GetEncryptionConfiguration',
  'PUT encryption': 'PutEncryptionConfiguration',
  'DELETE encryption': 'PutEncryptionConfiguration',
  'GET lifecycle': 'GetLifecycleConfiguration',
  'PUT lifecycle': 'PutLifecycleConfiguration',
  'DELETE lifecycle': 'PutLifecycleConfiguration',
  'GET logging': 'GetBucketLogging',
  'PUT logging': 'PutBucketLogging',
  'GET notification': 'GetBucketNotification',
  'PUT notification': 'PutBucketNotification',
  'GET object-lock': 'GetBucketObjectLockConfiguration',
  'PUT object-lock': 'PutBucketObjectLockConfiguration',
  'GET policy': 'GetBucketPolicy',
  'PUT policy': 'PutBucketPolicy',
  'DELETE policy': 'DeleteBucketPolicy',
  'GET policyStatus': 'GetBucketPolicyStatus',
  'GET publicAccessBlock': 'GetBucketPublicAccessBlock',
  'PUT publicAccessBlock': 'PutBucketPublicAccessBlock',
  'DELETE publicAccessBlock': 'PutBucketPublicAccessBlock',
  'GET replication': 'GetReplicationConfiguration',
  'PUT replication': 'PutReplicationConfiguration',
  'DELETE replication': 'PutReplicationConfiguration',
  'GET requestPayment': 'GetBucketRequestPayment',
  'PUT requestPayment': 'PutBucketRequestPayment',
  'GET tagging': 'GetBucketTagging',
  'PUT tagging': 'PutBucketTagging',
  'DELETE tagging': 'PutBucketTagging',
  'GET versioning': 'GetBucketVersioning',
  'PUT versioning': 'PutBucketVersioning',
  'GET website': 'GetBucketWebsite',
  'PUT website': 'PutBucketWebsite',
  'DELETE website': 'DeleteBucketWebsite',
};

/** Fields with which an upload does more than that. */
const MORE: readonly (readonly [field: string, action: string])[] = [
  ['x-amz-copy-source', 'GetObject'],
  ['x-amz-acl', 'PutObjectAcl'],
  ['x-amz-grant-read', 'PutObjectAcl'],
  ['x-amz-grant-read-acp', 'PutObjectAcl'],
  ['x-amz-grant-write', 'PutObjectAcl'],
  ['x-amz-grant-write-acp', 'PutObjectAcl'],
  ['x-amz-grant-full-control', 'PutObjectAcl'],
  ['x-amz-tagging', 'PutObjectTagging'],
  ['x-amz-object-lock-mode', 'PutObjectRetention'],
  ['x-amz-object-lock-retain-until-date', 'PutObjectRetention'],
  ['x-amz-object-lock-legal-hold', 'PutObjectLegalHold'],
  ['x-amz-bypass-governance-retention', 'BypassGovernanceRetention'],
];

/**
 * The actions that a request to an endpoint of S3 needs, as policies of IAM call them. Undefined when it is none of the operations that are
 * known here, or holds a parameter that could make another of it.
 */
export function s3Actions(request: S3Request): readonly string[] | undefined {
  const place = placeOf(request);
  const subresource = subresourceOf(request.query);
  if (place === undefined || subresource === undefined) return undefined;
  const key = `${request.method} ${subresource}`;
  if (place === 'service') return key === 'GET ' ? ['s3:ListAllMyBuckets'] : undefined;
  // The body names the objects, and may name versions of them.
  if (place === 'bucket' && key === 'POST delete') return named('DeleteObject', 'DeleteObjectVersion', ...moreOf(request));
  const table = place === 'object' ? OBJECT : BUCKET;
  const action = Object.hasOwn(table, key) ? table[key] : undefined;
  return action === undefined ? undefined : named(action, ...moreOf(request));
}

/** Parameters of a presigned request, and one that SDKs add. */
const OF_SIGNATURE = /^x-amz-(?:algorithm|credential|date|expires|signedheaders|signature|security-token|content-sha256|checksum-mode)$/i;

function named(...actions: readonly string[]): readonly string[] {
  return [...new Set(actions)].map((action) => `s3:${action}`);
}

function moreOf({ headers }: S3Request): string[] {
  const actions = MORE.flatMap(([field, action]) => (headers.has(field) ? [action] : []));
  return actions.includes('GetObject') ? [...actions, 'GetObjectVersion'] : actions;
}

/** The one parameter that says what is meant, `''` for none; undefined when there are several or an unknown one. */
function subresourceOf(query: string | undefined): string | undefined {
  const names = (query ?? '')
    .split('&')
    .filter((piece) => piece !== '')
    .map(parameterName)
    .filter((name) => !NEUTRAL.has(name) && !OF_SIGNATURE.test(name));
  if (names.length > 1) return undefined;
  return names[0] ?? '';
}

/**
 * What the path names. A bucket stands in the host, or is the first segment. No name of a bucket needs an escape, and behind `%2F` S3 may read
 * a key: undefined then.
 */
function placeOf({ host, path }: S3Request): 'service' | 'bucket' | 'object' | undefined {
  const style = addressStyle(host);
  if (style === undefined) return undefined;
  const rest = style === 'host' ? `/bucket${path}` : path;
  const [, bucket = '', key = ''] = /^\/([^/]*)(?:\/(.*))?$/s.exec(rest) ?? [];
  if (bucket.includes('%')) return undefined;
  if (bucket === '') return key === '' ? 'service' : undefined;
  return key === '' ? 'bucket' : 'object';
}

/** Where a host of AWS wants the bucket; undefined for another host, and for those of the control plane. */
function addressStyle(host: string): 'host' | 'path' | undefined {
  // In the first place it is a bucket of that name.
  const labels = splitEndpoint(host)?.labels.filter((label, index) => label !== 'dualstack' || index === 0);
  if (labels === undefined || labels.some((label) => /^s3-control(?:-fips)?$/.test(label))) return undefined;
  const [first = '', second = '', ...more] = labels;
  const vpce = labels.at(-1) === 'vpce';
  if (vpce) return first === 'bucket' && second.startsWith('vpce-') ? 'path' : labels[1] === 'bucket' ? 'host' : undefined;
  if (more.length > 0 || (second !== '' && !isRegionName(second))) return 'host';
  const region = /^s3-(?:fips-)?(.+)$/.exec(first)?.[1] ?? '';
  return first === 's3' || first === 's3-fips' || first === 's3-external-1' || isRegionName(region) ? 'path' : 'host';
}
