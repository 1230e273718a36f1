import { AlterError, CommandError } from '../errors.ts';
import { originKey, parseOrigin } from '../message/authority.ts';
import type { Origin } from '../message/authority.ts';
import type { ProviderTemplate } from '../providers/template.ts';

const WILDCARD = '*.';

/**
 * The exact origins to which a credential of this provider may go: those that the operator gave, or else the provider's own exact hosts.
 * Throws CommandError `record_invalid` for a host that is none of the provider's, and when a tenant wildcard is left unpinned.
 */
export function allowedOrigins(template: ProviderTemplate, hosts: readonly string[]): readonly string[] {
  const origins = hosts.length === 0 ? exactOrigins(template) : hosts.map((host) => givenOrigin(template, host));
  return [...new Set(origins.map(originKey))];
}

/** Checks the host patterns of a custom provider: exact hosts, or `*.` before a name of two labels or more. */
export function checkHostPatterns(template: ProviderTemplate): void {
  for (const pattern of template.hosts) {
    const name = pattern.startsWith(WILDCARD) ? pattern.slice(WILDCARD.length) : pattern;
    const { host } = readOrigin(name);
    const broad = pattern !== name && (!host.includes('.') || name !== host);
    if (broad)
      throw new CommandError('record_invalid', `the pattern ${JSON.stringify(pattern)} must be *. and a name of at least two labels`);
  }
}

function exactOrigins(template: ProviderTemplate): readonly Origin[] {
  const exact = template.hosts.filter((host) => !host.startsWith(WILDCARD));
  if (exact.length > 0) return exact.map(readOrigin);
  const [wildcard] = template.hosts;
  throw new CommandError(
    'record_invalid',
    wildcard === undefined
      ? `provider ${template.slug} has no host of its own: name the host that may receive the credential`
      : `provider ${template.slug} has a host for each tenant: name your own exact host under ${wildcard}`,
    { hint: 'Name it with --host; a credential goes to exact hosts only.' },
  );
}

function givenOrigin(template: ProviderTemplate, text: string): Origin {
  const origin = readOrigin(text);
  if (template.hosts.length === 0 || template.hosts.some((pattern) => covers(pattern, origin.host))) return origin;
  throw new CommandError('record_invalid', `host ${origin.host} is not a host of provider ${template.slug}; add a custom provider`, {
    hint: `Hosts of ${template.slug}: ${template.hosts.join(', ')}.`,
  });
}

function covers(pattern: string, host: string): boolean {
  if (!pattern.startsWith(WILDCARD)) return readOrigin(pattern).host === host;
  const suffix = pattern.slice(1).toLowerCase();
  return host.length > suffix.length && host.endsWith(suffix);
}

function readOrigin(text: string): Origin {
  try {
    return parseOrigin(text);
  } catch (cause) {
    if (!(cause instanceof AlterError)) throw cause;
    throw new CommandError('record_invalid', `${JSON.stringify(text)} is not an exact host: ${cause.detail ?? 'it is malformed'}`, {
      cause,
    });
  }
}
