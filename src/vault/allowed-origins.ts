import { AlterError, CommandError } from '../errors.ts';
import { originKey, parseOrigin } from '../message/authority.ts';
import type { Origin } from '../message/authority.ts';
import { renderFormat } from '../providers/format.ts';
import { coversHost, hostFault, hostValue, hostValueForm, isHostTemplate, isWildcardHost } from '../providers/host-template.ts';
import type { ProviderTemplate } from '../providers/template.ts';

/**
 * The exact origins to which a credential of this provider may go: those that the operator gave, or else the provider's own exact hosts and
 * those that its fields name (`{tenant}.example.com`), with `values` for these fields. Throws CommandError `record_invalid` for a host that
 * is none of the provider's, for a value that cannot stand in a host, and when a tenant is left unpinned.
 */
export function allowedOrigins(
  template: ProviderTemplate,
  hosts: readonly string[],
  values: Readonly<Record<string, string>> = {},
): readonly string[] {
  const origins = hosts.length === 0 ? ownOrigins(template, values) : hosts.map((host) => givenOrigin(template, host));
  return [...new Set(origins.map(originKey))];
}

/** Checks the host patterns of a custom provider, as a provider file is checked. */
export function checkHostPatterns(template: ProviderTemplate): void {
  for (const pattern of template.hosts) {
    const fault = hostFault(pattern, template.fields);
    if (fault !== undefined) throw new CommandError('record_invalid', `the host ${JSON.stringify(pattern)} ${fault}`);
  }
}

function ownOrigins(template: ProviderTemplate, values: Readonly<Record<string, string>>): readonly Origin[] {
  const own = template.hosts.filter((host) => !isWildcardHost(host));
  if (own.length > 0) return own.map((host) => (isHostTemplate(host) ? pinnedOrigin(template, host, values) : readOrigin(host)));
  const [wildcard] = template.hosts;
  throw new CommandError(
    'record_invalid',
    wildcard === undefined
      ? `provider ${template.slug} has no host of its own: name the host that may receive the credential`
      : `provider ${template.slug} has a host for each tenant: name your own exact host under ${wildcard}`,
    { hint: 'Name it with --host; a credential goes to exact hosts only.' },
  );
}

/** The exact origin of a host that names the tenant by a field. */
function pinnedOrigin(template: ProviderTemplate, host: string, values: Readonly<Record<string, string>>): Origin {
  const text = renderFormat(host, (name) => {
    const field = template.fields[name];
    const given = Object.hasOwn(values, name) ? values[name] : undefined;
    if (given === undefined) {
      throw new CommandError('record_invalid', `provider ${template.slug} has a host for each tenant: ${host} needs the field ${name}`, {
        hint: `Give it with --tenant <${name}>, or name your own exact host with --host.`,
      });
    }
    const value = hostValue(given, field);
    if (value !== undefined) return value;
    throw new CommandError('record_invalid', `the value of ${name} cannot stand in the host ${host}: it must be ${hostValueForm(field)}`);
  });
  return readOrigin(text);
}

function givenOrigin(template: ProviderTemplate, text: string): Origin {
  const origin = readOrigin(text);
  if (template.hosts.length === 0 || template.hosts.some((pattern) => coversHost(pattern, origin.host, template.fields))) return origin;
  throw new CommandError('record_invalid', `host ${origin.host} is not a host of provider ${template.slug}; add a custom provider`, {
    hint: `Hosts of ${template.slug}: ${template.hosts.join(', ')}.`,
  });
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
