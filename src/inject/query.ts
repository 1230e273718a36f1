import { CommandError } from '../errors.ts';
import { otherParameters } from '../message/query.ts';
import type { Credential } from './credential.ts';
import { percentEncode } from './percent-encoding.ts';
import type { PreparedRule } from './prepared-rule.ts';

/** `query`: one query parameter, at the end. Everything but unreserved characters is percent-encoded (RFC 3986 §2.3). */
export function prepareQuery(rule: { readonly name: string; readonly format: string }, credential: Credential): PreparedRule {
  const value = credential.render(rule.format);
  if (rule.name === '' || value === '') throw new CommandError('record_invalid', 'an injected query parameter needs a name and a value');
  const encoded = percentEncode(value);
  const parameter = `${percentEncode(rule.name)}=${encoded}`;
  const names = new Set([rule.name]);
  return {
    place: `query:${rule.name}`,
    apply: (draft) => {
      const { path, query } = draft.url;
      draft.url = { path, query: [...otherParameters(query, names), parameter].join('&') };
    },
    sensitive: credential.hides(rule.format) ? [value, encoded] : [],
  };
}
