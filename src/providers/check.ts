import { AlterError } from '../errors.ts';
import { formatAuthority, isIpLiteral, parseAuthority } from '../message/authority.ts';
import { isReservedField } from '../message/hop-by-hop.ts';
import { foldUnderscores } from '../message/syntax.ts';
import type { Path, ProviderDocument } from './document.ts';
import { fieldReferences, hasStrayBrace } from './format.ts';
import type { ProviderText, RuleText } from './schema.ts';

/** Checks what a schema cannot say: references, unused fields, hosts, header names and doubled places. Throws `config_invalid`. */
export function checkMeaning(document: ProviderDocument, text: ProviderText): void {
  text.hosts.forEach((host, index) => checkHost(document, host, ['hosts', index]));
  text.inject.forEach((rule, index) => checkRule(document, text, rule, ['inject', index]));
  checkFieldsUsed(document, text);
  checkPlaces(document, text.inject);
}

function checkHost(document: ProviderDocument, host: string, path: Path): void {
  const exact = host.startsWith('*.') ? host.slice(2) : host;
  if (canonicalHost(exact) !== exact) throw document.error(path, 'must be a host in lower case, such as api.example.com or *.example.com');
  if (exact !== host && (!exact.includes('.') || isIpLiteral(exact))) {
    throw document.error(path, 'a wildcard must stand before at least two labels, such as *.example.com');
  }
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

function checkRule(document: ProviderDocument, text: ProviderText, rule: RuleText, path: Path): void {
  const header = rule.header ?? rule.default_header;
  if (header !== undefined && isReservedField(header.name)) {
    throw document.error([...path, rule.header ? 'header' : 'default_header', 'name'], 'belongs to the proxy; name another header');
  }
  if (rule.default_header !== undefined && /[{}]/.test(rule.default_header.value)) {
    throw document.error([...path, 'default_header', 'value'], 'is a constant and holds no {field}');
  }
  for (const format of formatsOf(rule)) checkFormat(document, text, format, path);
}

function checkFormat(document: ProviderDocument, text: ProviderText, format: string, path: Path): void {
  const known = Object.keys(text.fields).join(', ');
  if (hasStrayBrace(format)) throw document.error(path, `has a brace that is not part of a {field}; known fields: ${known}`);
  const unknown = fieldReferences(format).find((field) => !Object.hasOwn(text.fields, field));
  if (unknown !== undefined) throw document.error(path, `refers to the field ${unknown}, which does not exist; known fields: ${known}`);
}

function formatsOf({ bearer, header, basic, query }: RuleText): string[] {
  return [bearer, header?.value, basic?.username, basic?.password, query?.value].filter((format) => format !== undefined);
}

function checkFieldsUsed(document: ProviderDocument, text: ProviderText): void {
  const used = new Set(text.inject.flatMap(formatsOf).flatMap(fieldReferences));
  const unused = Object.keys(text.fields).find((field) => !used.has(field));
  if (unused !== undefined)
    throw document.keyError(['fields'], unused, `is used by no rule; write {${unused}} where it belongs, or remove it`);
}

function checkPlaces(document: ProviderDocument, rules: readonly RuleText[]): void {
  const places = new Set<string>();
  for (const [index, rule] of rules.entries()) {
    const place = placeOf(rule);
    if (places.has(place)) throw document.error(['inject', index], 'writes to the same place as a rule above it');
    places.add(place);
  }
}

function placeOf({ header, default_header: constant, query }: RuleText): string {
  if (query !== undefined) return `query:${query.name}`;
  return `header:${foldUnderscores((header ?? constant)?.name.toLowerCase() ?? 'authorization')}`;
}
