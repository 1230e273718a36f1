import type { Origin } from '../message/authority.ts';
import { parseOrigin } from '../message/authority.ts';
import { coversHost, isWildcardHost } from './host-template.ts';
import type { ProviderTemplate } from './template.ts';

/** The test call of a provider, for one secret. */
export interface TestRequest {
  readonly origin: Origin;
  readonly method: string;
  /** Path, and query if there is one. */
  readonly target: string;
  /** JSON text. */
  readonly body: string | undefined;
}

/**
 * The provider's test call to one of `origins`, those of the secret; `no_call` when the provider has none, `no_host` when none of the origins
 * is a host that the call names. A call that names no host goes to the provider's first one, or to where the secret may go instead.
 */
export function testRequest(template: ProviderTemplate, origins: readonly string[]): TestRequest | 'no_call' | 'no_host' {
  const { test, hosts, fields } = template;
  if (test === undefined) return 'no_call';
  const allowed = origins.map(parseOrigin);
  const wanted = [test.host ?? hosts[0] ?? []].flat().map((host) => testHostPattern(host, fields));
  const [covered] = wanted.flatMap((covers) => allowed.filter(({ host }) => covers(host)));
  const origin = covered ?? (test.host === undefined ? allowed[0] : undefined);
  if (origin === undefined) return 'no_host';
  return { origin, method: test.method, target: test.path, body: test.body };
}

/** `sts.*.amazonaws.com`: labels of a host, of which any but the first may be any one label. */
const LABELS = /^[a-z0-9-]+(?:\.(?:\*|[a-z0-9-]+))+$/;

/** Whether a test call may name `host`: one of the provider's hosts as it stands there, or one below a wildcard. */
export function isTestHost(host: string, hosts: readonly string[]): boolean {
  if (hosts.includes(host)) return true;
  return LABELS.test(host) && hosts.some((own) => isWildcardHost(own) && host.endsWith(own.slice(1)));
}

function testHostPattern(wanted: string, fields: ProviderTemplate['fields']): (host: string) => boolean {
  if (isWildcardHost(wanted) || !LABELS.test(wanted)) return (host) => coversHost(wanted, host, fields);
  const pattern = new RegExp(`^${wanted.replaceAll('.', '\\.').replaceAll('*', '[^.]+')}$`);
  return (host) => pattern.test(host);
}
