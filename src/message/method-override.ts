import type { FieldName } from './field-name.ts';

/** What frameworks take for another method than the one of the request line. */
const OVERRIDES: ReadonlySet<string> = new Set(['x-http-method-override', 'x-http-method', 'x-method-override']);

/** Whether a field asks for another method, also with underscores: those that make variables of names read them as dashes. */
export function isMethodOverride({ folded }: FieldName): boolean {
  return OVERRIDES.has(folded);
}
