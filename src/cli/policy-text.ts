import type { Rule } from '../policy/rules.ts';

/** A rule in a few words, for the cell of a table: `methods GET, HEAD`. */
export function shortRule(rule: Rule): string {
  const { kind, name, mode, ...members } = rule;
  const values = Object.values(members).map(short).join(' ');
  return [name === undefined ? kind : `${name} (${kind})`, values, mode === 'warn' ? '(warn)' : ''].filter((text) => text !== '').join(' ');
}

function short(value: unknown): string {
  if (Array.isArray(value)) return value.map(short).join(', ');
  return typeof value === 'object' && value !== null ? Object.keys(value).join(', ') : String(value);
}
