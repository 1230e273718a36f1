import { prepareField } from '../message/header-list.ts';
import { checkFieldName, checkFieldValue } from './header.ts';
import type { PreparedRule } from './prepared-rule.ts';

/** What curl and most libraries send as Accept when nobody asked them to: it names nothing (RFC 9110 §12.5.1). */
const ANYTHING = '*/*';

/** `default_header`: a constant that the provider needs and that yields to the caller's own value. It holds no credential. */
export function prepareDefaultHeader(rule: { readonly name: string; readonly value: string }): PreparedRule {
  const { name, value } = rule;
  checkFieldName(name);
  checkFieldValue(name, value);
  const field = prepareField(name, value);
  const isAccept = field.name.lower === 'accept';
  return {
    place: undefined,
    apply: ({ headers }) => {
      if (headers.getAll(name).some((own) => !isAccept || own !== ANYTHING)) return;
      headers.delete(name);
      headers.add(field);
    },
    sensitive: [],
  };
}
