/**
 * Endpoints that answer in several regions and take SigV4a only: what stands before the suffix of the partition, and the signing name
 * (endpoint rule sets of the AWS SDKs).
 */
const ENDPOINTS: readonly (readonly [RegExp, string])[] = [
  [/^[a-z0-9-]+(?:\.[a-z0-9-]+)*\.accesspoint\.s3-global$/, 's3'],
  [/^[a-z0-9-]+(?:\.[a-z0-9-]+)*\.endpoint\.events$/, 'events'],
  [/^[a-z0-9-]+(?:\.[a-z0-9-]+)*\.endpoints\.email(?:\.global)?$/, 'ses'],
  [/^\d{12}\.cloudfront-kvs\.global$/, 'cloudfront-keyvaluestore'],
];

/** Suffixes of all partitions, those of the dual-stack endpoints among them. */
const SUFFIX = new RegExp(
  `\\.(?:${[
    ...['amazonaws.com', 'amazonaws.com.cn', 'amazonaws.eu', 'c2s.ic.gov', 'sc2s.sgov.gov', 'cloud.adc-e.uk', 'csp.hci.ic.gov'],
    ...['api.aws', 'api.amazonwebservices.com.cn', 'api.amazonwebservices.eu'],
    ...['api.aws.ic.gov', 'api.aws.scloud', 'api.cloud-aws.adc-e.uk', 'api.aws.hci.ic.gov'],
  ]
    .map((suffix) => suffix.replaceAll('.', '\\.'))
    .join('|')})$`,
);

/** Every region. */
export const ANY_REGION = '*';

/** A region, or a pattern of regions, as it stands in X-Amz-Region-Set. */
const REGION = /^(?:\*|[a-z]{2,}(?:-[a-z0-9]+)*(?:-?\*)?)$/;
/** Far more than there are regions. */
const MAX_REGIONS = 64;

/** The signing name of a multi-region endpoint, such as that of a multi-region access point of S3; undefined for any other host. */
export function multiRegionService(host: string): string | undefined {
  const suffix = SUFFIX.exec(host);
  if (suffix === null) return undefined;
  const prefix = host.slice(0, suffix.index);
  return ENDPOINTS.find(([pattern]) => pattern.test(prefix))?.[1];
}

/** The regions for which a signature is to hold, from X-Amz-Region-Set: names, `us-west-*` or `*`; undefined when it is malformed. */
export function parseRegionSet(text: string): readonly string[] | undefined {
  const regions = text.split(',').map((region) => region.trim());
  return regions.length <= MAX_REGIONS && regions.every((region) => REGION.test(region)) ? regions : undefined;
}

/**
 * The first of `regions` that `allowed` does not hold, word for word; undefined when it holds all. A pattern is allowed only as itself:
 * which regions it means is for the provider to say.
 */
export function regionOutside(regions: readonly string[], allowed: readonly string[]): string | undefined {
  return allowed.includes(ANY_REGION) ? undefined : regions.find((region) => !allowed.includes(region));
}

/** Whether one of `regions`, names and patterns, means `region`. */
export function coversRegion(regions: readonly string[], region: string): boolean {
  return regions.some((text) => (text.endsWith('*') ? region.startsWith(text.slice(0, -1)) : text === region));
}
