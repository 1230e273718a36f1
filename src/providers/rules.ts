import { foldUnderscores } from '../message/syntax.ts';
import type { InjectionRule } from './template.ts';

/** The formats of a rule: its texts that may hold `{field}` references. */
export function ruleFormats(rule: InjectionRule): string[] {
  switch (rule.kind) {
    case 'basic':
      return [rule.username, rule.password];
    case 'default_header':
      return [];
    default:
      return [rule.format];
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
