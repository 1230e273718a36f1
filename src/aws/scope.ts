import { AlterError } from '../errors.ts';
import type { ClientSignature } from './client-signature.ts';
import { describeEndpoint } from './endpoint.ts';
import { ANY_REGION, coversRegion, multiRegionService, parseRegionSet, regionOutside } from './multi-region.ts';

/** What a signature is made for. */
export interface AwsScope {
  readonly service: string;
  /** One region; or, where `multiRegion` says so, names and patterns of regions that SigV4a signs for. */
  readonly regions: readonly [string, ...string[]];
  readonly multiRegion: boolean;
}

/** What the operator has stored with a secret. */
export interface ScopeSettings {
  readonly service?: string | undefined;
  readonly region?: string | undefined;
}

/**
 * Service and region of a request: what its host says, else what the client has signed for, else the settings. Throws
 * `signing_scope_mismatch` where two of them contradict each other, and `signing_scope_unknown` where none says it: nothing is guessed.
 * The one region of the settings is for where neither host nor client names one, so it contradicts nothing.
 */
export function resolveScope(host: string, client: ClientSignature | undefined, settings: ScopeSettings = {}): AwsScope {
  const multi = multiRegionService(host);
  if (multi !== undefined) return multiRegionScope([multi], client, settings);
  const endpoint = describeEndpoint(host);
  // Services with an endpoint in one region take SigV4a, too: some clients prefer it, and some send to all regions what they sign once.
  if (client?.algorithm === 'ecdsa') {
    const scope = multiRegionScope(endpoint?.services ?? [], client, settings);
    if (endpoint?.region !== undefined && !coversRegion(scope.regions, endpoint.region)) {
      throw mismatch('The client has signed for other regions than that of the host.');
    }
    return scope;
  }
  const service = serviceOf(endpoint?.services ?? [], client, settings);
  return { service, regions: [regionOf(endpoint, client, settings)], multiRegion: false };
}

function serviceOf(services: readonly string[], client: ClientSignature | undefined, settings: ScopeSettings): string {
  checkService(services, client, settings);
  return client?.service ?? settings.service ?? services[0] ?? unknown('service');
}

function checkService(services: readonly string[], client: ClientSignature | undefined, settings: ScopeSettings): void {
  const foreign = (service: string | undefined): boolean => service !== undefined && services.length > 0 && !services.includes(service);
  if (foreign(client?.service)) throw mismatch('The client has signed for another service than that of the host.');
  if (foreign(settings.service)) throw mismatch('The secret is for another service than that of the host.');
  if (client !== undefined && settings.service !== undefined && client.service !== settings.service) {
    throw mismatch('The client has signed for another service than that of the secret.');
  }
}

function regionOf(endpoint: ReturnType<typeof describeEndpoint>, client: ClientSignature | undefined, settings: ScopeSettings): string {
  if (endpoint?.region !== undefined) {
    const { region } = endpoint;
    if (client?.region !== undefined && client.region !== region)
      throw mismatch('The client has signed for another region than that of the host.');
    return region;
  }
  // A list, or a pattern, is for SigV4a.
  const stored = settings.region !== undefined && /[,*]/.test(settings.region) ? undefined : settings.region;
  return client?.region ?? stored ?? endpoint?.usualRegion ?? unknown('region');
}

/** Where neither the client nor the secret names regions, all of them are meant: that is what the endpoint is for. */
function multiRegionScope(services: readonly string[], client: ClientSignature | undefined, settings: ScopeSettings): AwsScope {
  const service = serviceOf(services, client, settings);
  const own = parseRegionSet(settings.region ?? ANY_REGION) ?? [];
  const [first, ...others] = client?.algorithm === 'ecdsa' ? (parseRegionSet(client.regionSet ?? '') ?? []) : own;
  if (first === undefined) throw new AlterError('malformed_request', { detail: 'X-Amz-Region-Set is missing or malformed.' });
  const regions = [first, ...others] as const;
  if (regionOutside(regions, own) !== undefined) throw mismatch('The request is signed for regions that are not those of the secret.');
  return { service, regions, multiRegion: true };
}

function mismatch(detail: string): AlterError {
  return new AlterError('signing_scope_mismatch', { detail });
}

function unknown(what: 'service' | 'region'): never {
  throw new AlterError('signing_scope_unknown', { detail: `The ${what} is not known.` });
}
