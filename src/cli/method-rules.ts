import { CommandError } from '../errors.ts';
import type { Rule } from '../policy/rules.ts';

// RFC 9110 §9.1: a method is a token.
const METHOD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}$/;

/** The rules for a list of HTTP methods, each perhaps several with commas between. Throws CommandError `usage` that names `where`. */
export function methodRules(where: string, methods: readonly string[] | undefined): readonly Rule[] {
  if (methods === undefined) return [];
  const allow = [...new Set(methods.flatMap((text) => text.split(',')).map((method) => method.trim().toUpperCase()))];
  if (!allow.every((method) => METHOD.test(method))) throw new CommandError('usage', `${where} takes names of HTTP methods, such as GET`);
  return [{ kind: 'methods', allow }];
}
