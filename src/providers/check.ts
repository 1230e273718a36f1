import { AlterError } from '../errors.ts';
import { isReservedField } from '../message/hop-by-hop.ts';
import { canonicalUrl, formatTarget } from '../message/url.ts';
import type { Path, ProviderDocument } from './document.ts';
import { checkDerivation } from './check-derivation.ts';
import { derivedFields, tenantFields, usedFields } from './derived-fields.ts';
import { fieldReferences, hasStrayBrace } from './format.ts';
import { hostFault, hostValue, hostValueForm } from './host-template.ts';
import { fitsPattern, patternFault } from './pattern.ts';
import { hmacFault, isVariable, type HmacRule } from './hmac-rule.ts';
import { memberPath } from './member-path.ts';
import { ruleFormats, rulePlaces, signsPlace } from './rules.ts';
import type { InjectionRule, ProviderField, ProviderTemplate } from './template.ts';
import { isTestHost } from './test-request.ts';

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
  checkDerivation(document, template);
  checkFieldsUsed(document, template);
  for (const [name, field] of Object.entries(template.fields)) checkField(document, template, name, field);
  checkPlaces(document, template.inject);
  checkBody(document, template.inject);
  checkOrder(document, template.inject);
  checkAlwaysInjects(document, template);
  checkTest(document, template);
}

function checkRule(document: ProviderDocument, template: ProviderTemplate, rule: InjectionRule, path: Path): void {
  if ((rule.kind === 'header' || rule.kind === 'default_header') && isReservedField(rule.name)) {
    throw document.error([...path, rule.kind, 'name'], 'belongs to the proxy; name another header');
  }
  if (rule.kind === 'default_header' && /[{}]/.test(rule.value)) {
    throw document.error([...path, 'default_header', 'value'], 'is a constant and holds no {field}');
  }
  if (rule.kind === 'json_field' && memberPath(rule.path) === undefined) {
    throw document.error([...path, 'json_field', 'path'], 'names no member; write auth.api_key, or a JSON pointer such as /auth/api_key');
  }
  if (rule.kind === 'hmac') checkHmac(document, template, rule, [...path, 'hmac']);
  for (const format of ruleFormats(rule)) checkFormat(document, template, format, path);
}

function checkHmac(document: ProviderDocument, template: ProviderTemplate, rule: HmacRule, path: Path): void {
  const [member, fault] = hmacFault(rule) ?? [];
  if (member !== undefined) throw document.error([...path, member], fault ?? '');
  const reserved = Object.keys(rule.headers).find(isReservedField);
  if (reserved !== undefined) throw document.keyError([...path, 'headers'], reserved, 'belongs to the proxy; name another header');
  const taken = Object.keys(template.fields).find(isVariable);
  if (taken !== undefined) throw document.keyError(['fields'], taken, 'has the name of something that a rule signs; name it otherwise');
}

function checkFormat(document: ProviderDocument, template: ProviderTemplate, format: string, path: Path): void {
  const names = [...Object.keys(template.fields), ...derivedFields(template.derive)];
  const known = names.join(', ');
  if (hasStrayBrace(format)) throw document.error(path, `has a brace that is not part of a {field}; known fields: ${known}`);
  const unknown = fieldReferences(format).find((field) => !names.includes(field));
  if (unknown !== undefined) throw document.error(path, `refers to the field ${unknown}, which does not exist; known fields: ${known}`);
  const long = fieldReferences(format).find((field) => template.fields[field]?.multiline === true);
  if (long !== undefined) throw document.error(path, `refers to ${long}, which has several lines; only derive may`);
}

function checkFieldsUsed(document: ProviderDocument, template: ProviderTemplate): void {
  const used = new Set([...usedFields(template), ...tenantFields(template)]);
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
  if (!tenantFields(template).includes(name)) {
    if (field.labels !== undefined) throw document.error(['fields', name, 'labels'], 'is for fields that a host refers to');
  } else if (field.optional === true) {
    throw document.error(['fields', name, 'optional'], 'is not for fields that a host or a URL refers to');
  } else if (example !== undefined && hostValue(example, field) === undefined) {
    throw document.error(['fields', name, 'example'], `cannot stand in a host: it must be ${hostValueForm(field)}`);
  }
}

function checkPlaces(document: ProviderDocument, rules: readonly InjectionRule[]): void {
  const places = new Set<string>();
  for (const [index, rule] of rules.entries()) {
    for (const place of rulePlaces(rule)) {
      const doubled = places.has(place) || (rule.kind === 'cookie' && places.has('header:cookie'));
      const overCookies = place === 'header:cookie' && [...places].some((other) => other.startsWith('cookie:'));
      if (doubled || overCookies) throw document.error(['inject', index], 'writes to the same place as a rule above it');
      places.add(place);
    }
  }
}

/** A body is a form or JSON, never both; and of two members of which one holds the other, the later rule would undo the earlier. */
function checkBody(document: ProviderDocument, rules: readonly InjectionRule[]): void {
  const form = rules.findIndex(({ kind }) => kind === 'form_field');
  const json = rules.findIndex(({ kind }) => kind === 'json_field');
  if (form !== -1 && json !== -1)
    throw document.error(
      ['inject', Math.max(form, json)],
      'writes into another kind of body than a rule above it; no body is a form and JSON',
    );
  const members: (readonly string[])[] = [];
  for (const [index, rule] of rules.entries()) {
    if (rule.kind !== 'json_field') continue;
    const member = memberPath(rule.path) ?? [];
    if (members.some((above) => overlap(above, member)))
      throw document.error(['inject', index], 'writes to the same member as a rule above it, or one of them holds the other');
    members.push(member);
  }
}

/** Whether two members are one, or one of them holds the other. */
function overlap(one: readonly string[], other: readonly string[]): boolean {
  const depth = Math.min(one.length, other.length);
  return one.slice(0, depth).every((name, index) => name === other[index]);
}

/** What comes behind a signature must not change what was signed. */
function checkOrder(document: ProviderDocument, rules: readonly InjectionRule[]): void {
  const late = rules.findIndex((rule, index) =>
    rulePlaces(rule).some((place) => rules.slice(0, index).some((above) => signsPlace(above, place))),
  );
  if (late !== -1) throw document.error(['inject', late], 'changes what a rule above it signs; write it above that rule');
}

/** Without a rule that is never left out, a secret could be stored that injects nothing. */
function checkAlwaysInjects(document: ProviderDocument, { fields, inject }: ProviderTemplate): void {
  const isOptional = (field: string): boolean => fields[field]?.optional === true;
  const always = inject.some((rule) => {
    const formats = rule.kind === 'sigv4' ? [rule.accessKeyId, rule.secretAccessKey] : ruleFormats(rule);
    return formats.length > 0 && !formats.flatMap(fieldReferences).some(isOptional);
  });
  if (!always && Object.keys(fields).some(isOptional)) throw document.error(['inject'], 'needs a rule without optional fields');
}

function checkTest(document: ProviderDocument, { test, hosts }: ProviderTemplate): void {
  if (test === undefined) return;
  if (/[{}]/.test(test.path)) throw document.error(['test', 'path'], 'is sent as it stands and holds no {field}');
  if (!isCanonical(test.path)) throw document.error(['test', 'path'], 'is not a path in its plain spelling');
  const wrong = [test.host ?? []].flat().findIndex((host) => !isTestHost(host, hosts));
  if (wrong !== -1) {
    const path = typeof test.host === 'string' ? ['test', 'host'] : ['test', 'host', wrong];
    throw document.error(path, 'is none of the hosts; write one as it stands there');
  }
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
