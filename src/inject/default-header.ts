import { prepareField } from '../message/header-list.ts';
import { checkFieldName, checkFieldValue } from './header.ts';
import type { PreparedRule } from './prepared-rule.ts';

/** `default_header`: a constant that the provider needs and that yields to the caller's own value. It holds no credential. */
export function prepareDefaultHeader(rule: { readonly name: string; readonly value: string }): PreparedRule {
  const { name, value } = rule;
  checkFieldName(name);
  checkFieldValue(name, value);
  const field = prepareField(name, value);
  return {
    place: undefined,
    apply: ({ headers }) => {
      if (!headers.has(name)) headers.add(field);
    },
    sensitive: [],
  };
}
