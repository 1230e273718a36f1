import { AlterError } from '../errors.ts';
import { canonicalUrl } from '../message/url.ts';
import { fieldReferences, hasStrayBrace, renderFormat } from './format.ts';
import { hostFault, hostValue, hostValueForm, isWildcardHost } from './host-template.ts';
import type { ProviderField } from './template.ts';

const URL_FORM = /^https:\/\/(?<host>[^/?#@\\\s]+)(?<path>\/[^?#\s]*)?$/;

type Fields = Readonly<Record<string, Pick<ProviderField, 'secret' | 'labels'>>>;

/** Host (with a port, if there is one) and path of a URL that a provider names; undefined when it is none. */
function partsOf(url: string): { readonly host: string; readonly path: string } | undefined {
  const { host, path = '/' } = URL_FORM.exec(url)?.groups ?? {};
  return host === undefined ? undefined : { host, path };
}

/** The host of a URL that a provider names, with its references; empty when it has none. */
export function urlHost(url: string): string {
  return partsOf(url)?.host ?? '';
}

/** What is wrong with a URL to which a provider sends its credential for another one, or undefined. What names the tenant must be no secret. */
export function urlFault(url: string, fields: Fields): string | undefined {
  const parts = partsOf(url);
  if (parts === undefined) return 'must be an https URL without user, query and fragment, such as https://auth.example.com/token';
  if (isWildcardHost(parts.host)) return 'has a wildcard; a credential goes to exact hosts only';
  const fault = hostFault(parts.host, fields);
  if (fault !== undefined) return `its host ${fault}`;
  if (hasStrayBrace(parts.path)) return 'has a brace that is not part of a {field}';
  const unknown = fieldReferences(parts.path).find((name) => fields[name]?.secret !== false);
  if (unknown !== undefined) return `refers to ${unknown}; a URL may show only fields with secret: false`;
  return isCanonical(renderFormat(parts.path, () => 'x')) ? undefined : 'is not in its plain spelling';
}

/** A URL with its references filled in; or what is wrong with the value of which field. */
export function renderUrl(
  url: string,
  fields: Fields,
  valueOf: (field: string) => string,
): { readonly url: string } | { readonly field: string; readonly fault: string } {
  const { host, path } = partsOf(url) ?? { host: '', path: '' };
  for (const name of fieldReferences(host)) {
    if (hostValue(valueOf(name), fields[name]) === undefined) {
      return { field: name, fault: `cannot stand in the host ${host}: it must be ${hostValueForm(fields[name])}` };
    }
  }
  for (const name of fieldReferences(path)) {
    if (!/^[A-Za-z0-9_~-][A-Za-z0-9._~-]*$/.test(valueOf(name)))
      return { field: name, fault: 'cannot stand in a path: letters, digits, dots, hyphens' };
  }
  return { url: `https://${renderFormat(host, (name) => valueOf(name).toLowerCase())}${renderFormat(path, valueOf)}` };
}

function isCanonical(path: string): boolean {
  try {
    return canonicalUrl(path).path === path;
  } catch (error) {
    if (error instanceof AlterError) return false;
    throw error;
  }
}
