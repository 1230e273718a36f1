import { HMAC_ALGORITHMS, KEY_ENCODINGS, SIGNATURE_ENCODINGS, type HmacRule } from '../providers/hmac-rule.ts';
import { patternFault } from '../providers/pattern.ts';
import type { InjectionRule, ProviderField, ProviderTemplate, TestCall } from '../providers/template.ts';
import { derivationAt } from './derivation-shape.ts';
import { ShapeError, listAt, mapAt, membersOf, ownValue, text, textAt, trueAt, wholeNumberAt, wordAt } from './members.ts';
import type { Members } from './members.ts';
import { isFieldName, isLabel, isSlug } from './names.ts';
import { optionalAt } from './shared-shapes.ts';

/** Text members of each kind of injection rule; those with a question mark may be absent; `maxBytes` is a number. */
const RULE_MEMBERS = {
  bearer: ['format'],
  header: ['name', 'format'],
  basic: ['username', 'password'],
  basic_encoded: ['format'],
  query: ['name', 'format'],
  cookie: ['name', 'format'],
  path: ['format', 'under?'],
  form_field: ['name', 'format'],
  json_field: ['path', 'format'],
  hmac: [],
  default_header: ['name', 'value'],
  sigv4: ['accessKeyId', 'secretAccessKey', 'sessionToken?', 'region?', 'service?'],
} as const satisfies Readonly<Record<InjectionRule['kind'], readonly string[]>>;

const RULE_KINDS = Object.keys(RULE_MEMBERS) as readonly InjectionRule['kind'][];

/** Reads a provider template. An injection rule that this version does not know makes it unusable: skipping one would send half a credential. */
export function parseTemplate(value: unknown, name: string): ProviderTemplate {
  const from = membersOf(value, name);
  return {
    slug: textAt(from, 'slug', isSlug),
    name: textAt(from, 'name', isLabel),
    category: textAt(from, 'category'),
    hosts: listAt(from, 'hosts', (item, itemName) => text(item, itemName)),
    ...optionalAt(from, 'sharesHosts', trueAt),
    ...optionalAt(from, 'selfHosted', trueAt),
    fields: mapAt(from, 'fields', isFieldName, parseField),
    ...optionalAt(from, 'derive', derivationAt),
    inject: listAt(from, 'inject', parseRule),
    confidence: wordAt(from, 'confidence', ['high', 'low']),
    ...optionalAt(from, 'docs', textAt),
    ...optionalAt(from, 'test', testAt),
    ...optionalAt(from, 'note', textAt),
  };
}

function parseField(value: unknown, name: string): ProviderField {
  const from = membersOf(value, name);
  if (typeof from['secret'] !== 'boolean') throw new ShapeError(`${name}.secret`);
  return {
    label: textAt(from, 'label'),
    secret: from['secret'],
    ...optionalAt(from, 'optional', trueAt),
    ...optionalAt(from, 'example', textAt),
    ...optionalAt(from, 'pattern', patternAt),
    ...optionalAt(from, 'format', textAt),
    ...optionalAt(from, 'labels', (own, member) => wholeNumberAt(own, member, 1)),
    ...optionalAt(from, 'multiline', trueAt),
  };
}

function parseRule(value: unknown, name: string): InjectionRule {
  const from: Members = membersOf(value, name);
  const kind = wordAt(from, 'kind', RULE_KINDS);
  if (kind === 'hmac') return hmacAt(from);
  const members = RULE_MEMBERS[kind].map((member) =>
    member.endsWith('?') ? optionalAt(from, member.slice(0, -1), textAt) : { [member]: textAt(from, member) },
  );
  return { kind, ...Object.fromEntries(members.flatMap((own) => Object.entries(own))), ...maxBytesAt(from) } as InjectionRule;
}

function hmacAt(from: Members): HmacRule {
  return {
    kind: 'hmac',
    algorithm: wordAt(from, 'algorithm', HMAC_ALGORITHMS),
    key: textAt(from, 'key'),
    keyEncoding: wordAt(from, 'keyEncoding', KEY_ENCODINGS),
    message: textAt(from, 'message'),
    encoding: wordAt(from, 'encoding', SIGNATURE_ENCODINGS),
    headers: mapAt(from, 'headers', () => true, text),
    query: mapAt(from, 'query', () => true, text),
    ...maxBytesAt(from),
  };
}

function maxBytesAt(from: Members): { readonly maxBytes?: number } {
  return optionalAt(from, 'maxBytes', (own, member) => wholeNumberAt(own, member, 1));
}

function testAt(from: Members, member: string): TestCall {
  const test = membersOf(ownValue(from, member), member);
  return {
    method: wordAt(test, 'method', ['GET', 'HEAD', 'POST']),
    path: textAt(test, 'path', (path) => path.startsWith('/')),
    ...optionalAt(test, 'host', testHostAt),
    ...optionalAt(test, 'body', textAt),
  };
}

function testHostAt(from: Members, member: string): string | readonly string[] {
  if (!Array.isArray(ownValue(from, member))) return textAt(from, member);
  return listAt(from, member, (item, name) => text(item, name));
}

function patternAt(from: Members, member: string): string {
  return textAt(from, member, (pattern) => patternFault(pattern) === undefined);
}
