/** A partition of AWS: a cloud of its own, with its own accounts and names. */
export interface Partition {
  readonly name: string;
  /** Region of the services that have one endpoint for the whole partition. */
  readonly globalRegion: string;
}

const AWS: Partition = { name: 'aws', globalRegion: 'us-east-1' };
const GOV: Partition = { name: 'aws-us-gov', globalRegion: 'us-gov-west-1' };
const CHINA: Partition = { name: 'aws-cn', globalRegion: 'cn-northwest-1' };
const ISO: Partition = { name: 'aws-iso', globalRegion: 'us-iso-east-1' };
const ISO_B: Partition = { name: 'aws-iso-b', globalRegion: 'us-isob-east-1' };
const ISO_E: Partition = { name: 'aws-iso-e', globalRegion: 'eu-isoe-west-1' };
const ISO_F: Partition = { name: 'aws-iso-f', globalRegion: 'us-isof-south-1' };
const EUSC: Partition = { name: 'aws-eusc', globalRegion: 'eusc-de-east-1' };

/** Suffixes of endpoints, those of dual stack and of what customers run among them. The government cloud of the USA has those of `aws`. */
const SUFFIXES: readonly (readonly [suffix: string, partition: Partition])[] = [
  ['.amazonaws.com', AWS],
  ['.api.aws', AWS],
  ['.on.aws', AWS],
  ['.amazonaws.com.cn', CHINA],
  ['.api.amazonwebservices.com.cn', CHINA],
  ['.on.amazonwebservices.com.cn', CHINA],
  ['.c2s.ic.gov', ISO],
  ['.api.aws.ic.gov', ISO],
  ['.sc2s.sgov.gov', ISO_B],
  ['.api.aws.scloud', ISO_B],
  ['.cloud.adc-e.uk', ISO_E],
  ['.api.cloud-aws.adc-e.uk', ISO_E],
  ['.csp.hci.ic.gov', ISO_F],
  ['.api.aws.hci.ic.gov', ISO_F],
  ['.amazonaws.eu', EUSC],
  ['.api.amazonwebservices.eu', EUSC],
  ['.on.amazonwebservices.eu', EUSC],
];

/** Every suffix of hosts of AWS, with its dot in front. */
export const ENDPOINT_SUFFIXES: readonly string[] = SUFFIXES.map(([suffix]) => suffix);

/** How the names of regions begin where they are not of `aws` or of the government of the USA. */
const REGIONS: readonly (readonly [start: string, partition: Partition])[] = [
  ['cn-', CHINA],
  ['us-iso-', ISO],
  ['us-isob-', ISO_B],
  ['eu-isoe-', ISO_E],
  ['us-isof-', ISO_F],
  ['eusc-', EUSC],
];

/** `us-east-1`, `us-gov-west-1`, `eu-isoe-west-1`, `eusc-de-east-1`. */
const REGION = /^[a-z]{2,4}(?:-[a-z]+){1,2}-[1-9]\d?$/;

/** Whether `text` has the form of the name of a region of AWS. */
export function isRegionName(text: string): boolean {
  return REGION.test(text);
}

/** The suffix of the usual endpoints in a region, `.amazonaws.com.cn`; undefined when the name does not say its partition. */
export function suffixOfRegion(region: string): string | undefined {
  if (!isRegionName(region)) return undefined;
  const [, partition = AWS] = REGIONS.find(([start]) => region.startsWith(start)) ?? [];
  if (partition === AWS && !/^[a-z]{2}-(?!iso)/.test(region)) return undefined;
  return SUFFIXES.find(([, own]) => own === partition)?.[0];
}

/** The partition of an endpoint, and its labels without the suffix; undefined for a host that is none of AWS. */
export function splitEndpoint(host: string): { readonly partition: Partition; readonly labels: readonly string[] } | undefined {
  const found = SUFFIXES.find(([suffix]) => host.endsWith(suffix));
  if (found === undefined) return undefined;
  const [suffix, partition] = found;
  const labels = host.slice(0, -suffix.length).split('.');
  const gov = partition === AWS && labels.some((label) => label === 'us-gov' || /^(?:s3-(?:fips-)?)?us-gov-[a-z]+-\d$/.test(label));
  return { partition: gov ? GOV : partition, labels };
}
