import { isRegionName, splitEndpoint, type Partition } from './partitions.ts';
import { signingName } from './signing-names.ts';

/** What the name of an AWS endpoint says. */
export interface AwsEndpoint {
  readonly partition: string;
  /** Names under which requests to it may be signed, the usual one first. Empty: the name does not say. */
  readonly services: readonly string[];
  /** The region; undefined when the name leaves it open. */
  readonly region: string | undefined;
  /** The region where the name leaves it open and nothing else says another one. */
  readonly usualRegion?: string;
}

/** Services whose endpoints have the region in front of their own name. */
const REGION_FIRST: ReadonlySet<string> = new Set(['es', 'aoss', 'queue', 'cloudsearch', 'neptune', 'elasticmapreduce', 'docdb-elastic']);
/** Services under whose endpoints customers have names of their own: an API, a domain, a bucket, an account. */
const NAMED_BELOW: ReadonlySet<string> = new Set([
  ...[
    's3',
    's3-accesspoint',
    's3-control',
    's3-object-lambda',
    's3-outposts',
    's3express',
    'execute-api',
    'lambda-url',
    'vpc-lattice-svcs',
  ],
  ...[
    'es',
    'aos',
    'aoss',
    'cloudsearch',
    'neptune',
    'ddb',
    'iot',
    'data.iot',
    'ats.iot',
    'appsync-api',
    'kinesisvideo',
    'data.mediastore',
    'airflow',
  ],
  ...['data-kinesis', 'control-kinesis', 'aps-workspaces'],
]);
/** Services with one endpoint for the whole partition. */
const GLOBAL: ReadonlySet<string> = new Set([
  ...['iam', 'sts', 'route53', 'cloudfront', 'organizations', 'waf', 'budgets', 'savingsplans', 'health', 'support', 'ce', 'sdb', 'sqs'],
  ...[
    'route53domains',
    'chime',
    'account',
    'shield',
    'trustedadvisor',
    'importexport',
    'devicefarm',
    'cur',
    'artifact',
    'elasticmapreduce',
  ],
]);
/** Those that live in another region than the rest. */
const OTHER_REGION: Readonly<Record<string, string>> = {
  'aws:globalaccelerator': 'us-west-2',
  'aws:networkmanager': 'us-west-2',
  'aws:devicefarm': 'us-west-2',
  'aws-cn:iam': 'cn-north-1',
  'aws-cn:account': 'cn-northwest-1',
};
/**
 * Names besides the usual one. The control plane of S3 on Outposts shares its hosts with that of S3, and the first version of Location Service,
 * which is signed as `geo`, those of the second.
 */
const ALSO: Readonly<Record<string, readonly string[]>> = {
  's3-control': ['s3-outposts'],
  iotdata: ['iotdevicegateway', 'iot-jobs-data'],
  'geo-maps': ['geo'],
  'geo-places': ['geo'],
  'geo-routes': ['geo'],
};

/** What `host` (canonical) says of the service and the region that it is an endpoint of; undefined when it is none of AWS. */
export function describeEndpoint(host: string): AwsEndpoint | undefined {
  const known = described.get(host);
  if (known !== undefined) return known;
  const split = splitEndpoint(host);
  if (split === undefined) return undefined;
  const endpoint = Object.freeze(describe(split.labels, split.partition));
  if (described.size >= MAX_KNOWN) described.clear();
  described.set(host, endpoint);
  return endpoint;
}

/** A proxy talks to a few endpoints, again and again. */
const described = new Map<string, AwsEndpoint>();
const MAX_KNOWN = 1024;

function describe(labels: readonly string[], partition: Partition): AwsEndpoint {
  const own = withoutPrivateLink(labels)
    .map(plainLabel)
    .filter((label) => label !== '');
  const last = own.at(-1) ?? '';
  const before = own.at(-2) ?? '';
  if (isRegionName(last)) return regional(own.slice(0, -1), last, partition);
  if (isRegionName(before) && REGION_FIRST.has(last)) return regional([...own.slice(0, -2), last], before, partition);
  const old = /^s3-(?:fips-)?(.+)$/.exec(last)?.[1] ?? '';
  if (isRegionName(old)) return { partition: partition.name, services: ['s3'], region: old };
  return withoutRegion(own, partition);
}

function regional(prefix: readonly string[], region: string, partition: Partition): AwsEndpoint {
  return { partition: partition.name, services: servicesOf(prefix), region };
}

/** The endpoints that serve a whole partition, or had no other region when they were named. */
function withoutRegion(labels: readonly string[], partition: Partition): AwsEndpoint {
  const prefix = labels.filter((label) => label !== 'global' && label !== 'us-gov');
  const last = prefix.at(-1) ?? '';
  const { name, globalRegion } = partition;
  if (last === 's3-accelerate') return { partition: name, services: ['s3'], region: undefined };
  if (last === 's3-external-1') return { partition: name, services: ['s3'], region: 'us-east-1' };
  // The old global endpoint leads to a bucket wherever it is.
  if (last === 's3') return { partition: name, services: ['s3'], region: undefined, usualRegion: globalRegion };
  const services = servicesOf(prefix);
  const [service = ''] = services;
  const other = OTHER_REGION[`${name}:${service}`];
  if (other !== undefined) return { partition: name, services, region: other };
  return { partition: name, services, region: GLOBAL.has(service) ? globalRegion : undefined };
}

/** From the name of the service, which may stand behind names of the customer's. */
function servicesOf(prefix: readonly string[]): readonly string[] {
  for (let from = Math.max(0, prefix.length - 3); from < prefix.length; from += 1) {
    const name = prefix.slice(from).join('.');
    if (from > 0 && !mayBeNamedBelow(name)) continue;
    const service = serviceOf(name, from > 0);
    if (service !== undefined) return [service, ...(ALSO[name] ?? ALSO[service] ?? [])];
  }
  return [];
}

function serviceOf(name: string, namedBelow: boolean): string | undefined {
  if (/^s3express(?:-[a-z0-9-]+)?$/.test(name)) return 's3express';
  // The account's own endpoint is that of the devices.
  return namedBelow && name === 'iot' ? 'iotdata' : signingName(name);
}

function mayBeNamedBelow(name: string): boolean {
  return NAMED_BELOW.has(name) || name.startsWith('s3express-');
}

/** `vpce-1a2b-3c4d.sqs.us-east-1.vpce`, also with a name in front: what stands between is as in the public endpoint. */
function withoutPrivateLink(labels: readonly string[]): readonly string[] {
  if (labels.at(-1) !== 'vpce') return labels;
  return labels.slice(labels.findIndex((label) => label.startsWith('vpce-')) + 1, -1);
}

/** Without the marks of FIPS and of dual stack, which say nothing about the signature. */
function plainLabel(label: string): string {
  if (label === 'dualstack' || label === 'fips') return '';
  if (label.startsWith('fips-')) return label.slice('fips-'.length);
  return label.endsWith('-fips') ? label.slice(0, -'-fips'.length) : label;
}
