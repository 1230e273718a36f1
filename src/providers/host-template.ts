import { AlterError } from '../errors.ts';
import { isIpLiteral, parseAuthority, formatAuthority } from '../message/authority.ts';
import { fieldReferences, hasStrayBrace, renderFormat } from './format.ts';
import type { ProviderField, ProviderTemplate } from './template.ts';

const WILDCARD = '*.';
/** One DNS label in lower case (RFC 1123 §2.1). */
const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
/** Stands for a value while the text around it is checked. */
const STAND_IN = 'x';

type Fields = Readonly<Record<string, Pick<ProviderField, 'secret' | 'labels'>>>;

/** Names of the fields that the hosts of a provider refer to, in order, each once. */
export function hostFields({ hosts }: Pick<ProviderTemplate, 'hosts'>): string[] {
  return [...new Set(hosts.flatMap(fieldReferences))];
}

/** Whether `host` names the tenant by a field: `{tenant}.example.com`. */
export function isHostTemplate(host: string): boolean {
  return host.includes('{');
}

/** Whether `host` is a wildcard: `*.example.com`. */
export function isWildcardHost(host: string): boolean {
  return host.startsWith(WILDCARD);
}

/**
 * What is wrong with the spelling of a host of a provider, or undefined. Behind a wildcard and behind a reference stand at least two
 * labels, so that nobody else can own what matches; a reference takes whole labels, or a part of one, of a field that is no secret.
 */
export function hostFault(host: string, fields: Fields): string | undefined {
  const wildcard = isWildcardHost(host);
  const bare = wildcard ? host.slice(WILDCARD.length) : host;
  if (hasStrayBrace(bare)) return 'has a brace that is not part of a {field}';
  const references = fieldReferences(bare);
  const unknown = references.find((name) => !Object.hasOwn(fields, name));
  if (unknown !== undefined) return `refers to the field ${unknown}, which does not exist`;
  const hidden = references.find((name) => fields[name]?.secret !== false);
  if (hidden !== undefined) return `refers to the field ${hidden}, which is a secret; a host may show only fields with secret: false`;
  const text = renderFormat(bare, () => STAND_IN);
  if (canonicalHost(text) !== text) return 'must be a host in lower case, such as api.example.com, *.example.com or {tenant}.example.com';
  if (wildcard && references.length > 0) return 'has a wildcard and a reference; write two hosts';
  const fixed = bare.slice(bare.lastIndexOf('}') + 1).replace(/:[0-9]+$/, '');
  if (wildcard && (!fixed.includes('.') || isIpLiteral(fixed))) {
    return 'a wildcard must stand before at least two labels, such as *.example.com';
  }
  if (references.length > 0 && !/^[^.]*\.[^.]+\../.test(fixed)) return 'needs at least two labels behind the last {field}';
  return undefined;
}

/** What a value must be to stand in a host, in words. */
export function hostValueForm(field: Pick<ProviderField, 'labels'> | undefined): string {
  const labels = field?.labels ?? 1;
  return labels === 1
    ? 'one DNS label: letters, digits and hyphens, up to 63'
    : `1 to ${String(labels)} DNS labels with dots between: letters, digits and hyphens`;
}

/** `value` in lower case when it may stand in a host, else undefined. Letters of another script, dots and escapes never pass. */
export function hostValue(value: string, field: Pick<ProviderField, 'labels'> | undefined): string | undefined {
  // toLowerCase alone would make ASCII of the Kelvin sign.
  if (!/^[A-Za-z0-9.-]{1,253}$/.test(value)) return undefined;
  const lower = value.toLowerCase();
  return new RegExp(`^${labelsPattern(field)}$`).test(lower) ? lower : undefined;
}

/** Whether `host` (canonical, without a port) is one of those that the pattern of a provider describes. */
export function coversHost(pattern: string, host: string, fields: Fields): boolean {
  const name = pattern.replace(/:[0-9]+$/, '');
  if (isWildcardHost(name)) return host.length > name.length - 1 && host.endsWith(name.slice(1));
  const source = name.split(/(\{[^}]*\})/).map((part) => (part.startsWith('{') ? labelsPattern(fields[part.slice(1, -1)]) : escape(part)));
  return new RegExp(`^${source.join('')}$`).test(host);
}

function labelsPattern(field: Pick<ProviderField, 'labels'> | undefined): string {
  const more = (field?.labels ?? 1) - 1;
  return more === 0 ? LABEL : `${LABEL}(?:\\.${LABEL}){0,${String(more)}}`;
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** The canonical spelling (port 443 left out), or undefined when there is none. */
function canonicalHost(text: string): string | undefined {
  try {
    return formatAuthority(parseAuthority(text, 443), 'https');
  } catch (error) {
    if (error instanceof AlterError) return undefined;
    throw error;
  }
}
