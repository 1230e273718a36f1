import { CommandError } from '../errors.ts';
import type { FieldName } from '../message/field-name.ts';
import { prepareField } from '../message/header-list.ts';
import { isReservedField } from '../message/hop-by-hop.ts';
import { isFieldValue, isToken } from '../message/syntax.ts';
import type { Credential } from './credential.ts';
import type { PreparedRule } from './prepared-rule.ts';

/** `header`: writes one request field in a format of the provider's own. */
export function prepareHeader(rule: { readonly name: string; readonly format: string }, credential: Credential): PreparedRule {
  return writeHeader(rule.name, credential.render(rule.format), credential.hides(rule.format) ? [] : undefined);
}

/**
 * A rule that puts the finished `value` into the field `name`. `sensitive`: further texts that hold the credential; undefined when the
 * value is no secret at all. Throws `record_invalid` for a field or a value that cannot be sent.
 */
export function writeHeader(name: string, value: string, sensitive: readonly string[] | undefined): PreparedRule {
  checkFieldName(name);
  checkFieldValue(name, value);
  const field = prepareField(name, value);
  const { folded } = field.name;
  // CGI-like servers read `x_api_key` and `x-api-key` as one variable, so both spellings of the caller go.
  const isOther = (own: FieldName): boolean => own.folded !== folded;
  return {
    place: `header:${field.name.lower}`,
    apply: ({ headers }) => {
      headers.filter(isOther);
      headers.add(field);
    },
    sensitive: sensitive === undefined ? [] : [value, ...sensitive],
  };
}

/** Throws `record_invalid` unless `name` is a field that a provider may be given. */
export function checkFieldName(name: string): void {
  if (!isToken(name)) throw new CommandError('record_invalid', 'the name of an injected header is not a header name');
  if (isReservedField(name)) throw new CommandError('record_invalid', `the header ${name} belongs to the proxy and cannot be injected`);
}

/** Throws `record_invalid` unless `value` can be sent in a header as it is. The message does not hold the value. */
export function checkFieldValue(name: string, value: string): void {
  if (!isFieldValue(value))
    throw new CommandError('record_invalid', `the value for the header ${name} holds a character that a header cannot carry`);
  if (value.trim() !== value || value === '')
    throw new CommandError('record_invalid', `the value for the header ${name} is empty, or begins or ends with a space`);
}
