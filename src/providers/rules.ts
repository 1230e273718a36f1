import { foldUnderscores } from '../message/syntax.ts';
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
      return [rule.format];
    default:
      // A constant; or a rule of a later version, which whoever reads it refuses.
      return [];
  }
}

/** The place that a rule writes to, in one spelling: `header:x-api-key`, `query:key`, `cookie:session`, `path`. */
export function rulePlace(rule: InjectionRule): string {
  switch (rule.kind) {
    case 'query':
    case 'cookie':
      return `${rule.kind}:${rule.name}`;
    case 'path':
      return 'path';
    case 'header':
    case 'default_header':
      return `header:${foldUnderscores(rule.name.toLowerCase())}`;
    case 'bearer':
    case 'basic':
    case 'basic_encoded':
      return 'header:authorization';
  }
}
