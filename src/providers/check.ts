import { AlterError } from '../errors.ts';
import { isReservedField } from '../message/hop-by-hop.ts';
import { canonicalUrl, formatTarget } from '../message/url.ts';
import type { Path, ProviderDocument } from './document.ts';
import { fieldReferences, hasStrayBrace } from './format.ts';
import { hostFault, hostFields, hostValue, hostValueForm } from './host-template.ts';
import { fitsPattern, patternFault } from './pattern.ts';
import { ruleFormats, rulePlace } from './rules.ts';
import type { InjectionRule, ProviderField, ProviderTemplate } from './template.ts';

/**
 * Checks what a schema cannot say: references, unused fields, hosts, patterns and their examples, header names, doubled places and the test
 * call. Throws `config_invalid`.
 */
export function checkMeaning(document: ProviderDocument, template: ProviderTemplate): void {
  template.hosts.forEach((host, index) => {
    const fault = hostFault(host, template.fields);
    if (fault !== undefined) throw document.error(['hosts', index], fault);
  });
  template.inject.forEach((rule, index) => checkRule(document, template, rule, ['inject', index]));
  checkFieldsUsed(document, template);
  for (const [name, field] of Object.entries(template.fields)) checkField(document, template, name, field);
  checkPlaces(document, template.inject);
  checkTest(document, template);
}

function checkRule(document: ProviderDocument, template: ProviderTemplate, rule: InjectionRule, path: Path): void {
  if ((rule.kind === 'header' || rule.kind === 'default_header') && isReservedField(rule.name)) {
    throw document.error([...path, rule.kind, 'name'], 'belongs to the proxy; name another header');
  }
  if (rule.kind === 'default_header' && /[{}]/.test(rule.value)) {
    throw document.error([...path, 'default_header', 'value'], 'is a constant and holds no {field}');
  }
  for (const format of ruleFormats(rule)) checkFormat(document, template, format, path);
}

function checkFormat(document: ProviderDocument, template: ProviderTemplate, format: string, path: Path): void {
  const known = Object.keys(template.fields).join(', ');
  if (hasStrayBrace(format)) throw document.error(path, `has a brace that is not part of a {field}; known fields: ${known}`);
  const unknown = fieldReferences(format).find((field) => !Object.hasOwn(template.fields, field));
  if (unknown !== undefined) throw document.error(path, `refers to the field ${unknown}, which does not exist; known fields: ${known}`);
}

function checkFieldsUsed(document: ProviderDocument, template: ProviderTemplate): void {
  const used = new Set([...template.inject.flatMap(ruleFormats).flatMap(fieldReferences), ...hostFields(template)]);
  const unused = Object.keys(template.fields).find((field) => !used.has(field));
  if (unused !== undefined)
    throw document.keyError(['fields'], unused, `is used by no rule; write {${unused}} where it belongs, or remove it`);
}

function checkField(document: ProviderDocument, template: ProviderTemplate, name: string, field: ProviderField): void {
  const { pattern, example } = field;
  if (pattern !== undefined) {
    const fault = patternFault(pattern);
    if (fault !== undefined) throw document.error(['fields', name, 'pattern'], fault);
    if (example !== undefined && !fitsPattern(pattern, example))
      throw document.error(['fields', name, 'example'], 'does not match the pattern of the field');
  }
  if (!hostFields(template).includes(name)) {
    if (field.labels !== undefined) throw document.error(['fields', name, 'labels'], 'is for fields that a host refers to');
  } else if (example !== undefined && hostValue(example, field) === undefined) {
    throw document.error(['fields', name, 'example'], `cannot stand in a host: it must be ${hostValueForm(field)}`);
  }
}

function checkPlaces(document: ProviderDocument, rules: readonly InjectionRule[]): void {
  const places = new Set<string>();
  for (const [index, rule] of rules.entries()) {
    const place = rulePlace(rule);
    const doubled = places.has(place) || (rule.kind === 'cookie' && places.has('header:cookie'));
    const overCookies = place === 'header:cookie' && [...places].some((other) => other.startsWith('cookie:'));
    if (doubled || overCookies) throw document.error(['inject', index], 'writes to the same place as a rule above it');
    places.add(place);
  }
}

function checkTest(document: ProviderDocument, { test, hosts }: ProviderTemplate): void {
  if (test === undefined) return;
  if (!isCanonical(test.path)) throw document.error(['test', 'path'], 'is not a path in its plain spelling');
  if (test.host !== undefined && !hosts.includes(test.host))
    throw document.error(['test', 'host'], 'is none of the hosts; write one as it stands there');
  if ((test.body !== undefined) !== (test.method === 'POST')) throw document.error(['test'], 'has a body with POST, and only then');
}

function isCanonical(path: string): boolean {
  try {
    return formatTarget(canonicalUrl(path)) === path;
  } catch (error) {
    if (error instanceof AlterError) return false;
    throw error;
  }
}
