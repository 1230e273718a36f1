import type { InjectionRule, ProviderField, ProviderTemplate } from '../providers/template.ts';
import { ShapeError, listAt, mapAt, membersOf, optionalTextAt, text, textAt, wordAt } from './members.ts';
import type { Members } from './members.ts';
import { isFieldName, isLabel, isSlug } from './names.ts';

/** Text members of each kind of injection rule. */
const RULE_MEMBERS = {
  bearer: ['format'],
  header: ['name', 'format'],
  basic: ['username', 'password'],
  query: ['name', 'format'],
  default_header: ['name', 'value'],
} as const satisfies Readonly<Record<InjectionRule['kind'], readonly string[]>>;

const RULE_KINDS = Object.keys(RULE_MEMBERS) as readonly InjectionRule['kind'][];

/** Reads a provider template. An injection rule that this version does not know makes it unusable: skipping one would send half a credential. */
export function parseTemplate(value: unknown, name: string): ProviderTemplate {
  const from = membersOf(value, name);
  const docs = optionalTextAt(from, 'docs');
  const note = optionalTextAt(from, 'note');
  return {
    slug: textAt(from, 'slug', isSlug),
    name: textAt(from, 'name', isLabel),
    category: textAt(from, 'category'),
    hosts: listAt(from, 'hosts', (item, itemName) => text(item, itemName)),
    fields: mapAt(from, 'fields', isFieldName, parseField),
    inject: listAt(from, 'inject', parseRule),
    confidence: wordAt(from, 'confidence', ['high', 'low']),
    ...(docs === undefined ? {} : { docs }),
    ...(note === undefined ? {} : { note }),
  };
}

function parseField(value: unknown, name: string): ProviderField {
  const from = membersOf(value, name);
  const example = optionalTextAt(from, 'example');
  if (typeof from['secret'] !== 'boolean') throw new ShapeError(`${name}.secret`);
  return { label: textAt(from, 'label'), secret: from['secret'], ...(example === undefined ? {} : { example }) };
}

function parseRule(value: unknown, name: string): InjectionRule {
  const from: Members = membersOf(value, name);
  const kind = wordAt(from, 'kind', RULE_KINDS);
  const members = RULE_MEMBERS[kind].map((member) => [member, textAt(from, member)] as const);
  return { kind, ...Object.fromEntries(members) } as InjectionRule;
}
