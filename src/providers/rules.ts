import { isSignedField } from '../aws/signed-fields.ts';
import { foldUnderscores } from '../message/syntax.ts';
import { holdsPart, outputFormats, withoutVariables } from './hmac-rule.ts';
import type { InjectionRule } from './template.ts';

/** The formats of a rule: its texts that may hold `{field}` references. */
export function ruleFormats(rule: InjectionRule): string[] {
  switch (rule.kind) {
    case 'basic':
      return [rule.username, rule.password];
    case 'bearer':
    case 'basic_encoded':
    case 'header':
    case 'query':
    case 'cookie':
    case 'path':
    case 'form_field':
    case 'json_field':
      return [rule.format];
    case 'hmac':
      return [rule.key, rule.message, ...outputFormats(rule)].map(withoutVariables);
    case 'sigv4':
      return [rule.accessKeyId, rule.secretAccessKey, rule.sessionToken, rule.region, rule.service].filter((text) => text !== undefined);
    default:
      // A constant; or a rule of a later version, which whoever reads it refuses.
      return [];
  }
}

/** The places that a rule writes to, in one spelling: `header:x-api-key`, `query:key`, `cookie:session`, `path`, `body:client_secret`. */
export function rulePlaces(rule: InjectionRule): string[] {
  if (rule.kind !== 'hmac') return [rulePlace(rule)];
  return [...Object.keys(rule.headers).map(headerPlace), ...Object.keys(rule.query).map((name) => `query:${name}`)];
}

/** Whether a rule signs what stands at `place`, one of {@link rulePlaces}. */
export function signsPlace(rule: InjectionRule, place: string): boolean {
  const [part = '', name = ''] = place.split(':');
  if (rule.kind === 'sigv4') return part === 'header' ? isSignedField(name) : part !== 'cookie';
  return rule.kind === 'hmac' && holdsPart(rule, part === 'header' ? place : part);
}

function headerPlace(name: string): string {
  return `header:${foldUnderscores(name.toLowerCase())}`;
}

function rulePlace(rule: Exclude<InjectionRule, { readonly kind: 'hmac' }>): string {
  switch (rule.kind) {
    case 'query':
    case 'cookie':
      return `${rule.kind}:${rule.name}`;
    case 'path':
      return 'path';
    case 'form_field':
      return `body:${rule.name}`;
    case 'json_field':
      return `body:${rule.path}`;
    case 'header':
    case 'default_header':
      return headerPlace(rule.name);
    case 'bearer':
    case 'basic':
    case 'basic_encoded':
    case 'sigv4':
      return 'header:authorization';
  }
}
