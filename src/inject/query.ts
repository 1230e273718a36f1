import { CommandError } from '../errors.ts';
import { parameterName } from '../message/query.ts';
import type { CanonicalUrl } from '../message/url.ts';
import type { Credential } from './credential.ts';
import { percentEncode } from './percent-encoding.ts';
import type { PreparedRule } from './prepared-rule.ts';

/** `query`: one query parameter. Everything but unreserved characters is percent-encoded (RFC 3986 §2.3). */
export function prepareQuery(rule: { readonly name: string; readonly format: string }, credential: Credential): PreparedRule {
  const value = credential.render(rule.format);
  if (rule.name === '' || value === '') throw new CommandError('record_invalid', 'an injected query parameter needs a name and a value');
  const encoded = percentEncode(value);
  const parameter = `${percentEncode(rule.name)}=${encoded}`;
  return {
    place: `query:${rule.name}`,
    apply: (draft) => {
      draft.url = replaceParameter(draft.url, rule.name, parameter);
    },
    sensitive: credential.hides(rule.format) ? [value, encoded] : [],
  };
}

/**
 * The URL without any parameter whose decoded name is `name`, and with `parameter` at the end; the others stay byte for byte. A semicolon
 * separates too: some servers take it for an ampersand.
 */
function replaceParameter(url: CanonicalUrl, name: string, parameter: string): CanonicalUrl {
  if (url.query === undefined || url.query === '') return { path: url.path, query: parameter };
  const kept = url.query.split('&').flatMap((own) => {
    if (!own.includes(';')) return parameterName(own) === name ? [] : [own];
    const pieces = own.split(';').filter((piece) => parameterName(piece) !== name);
    return pieces.length === 0 ? [] : [pieces.join(';')];
  });
  kept.push(parameter);
  return { path: url.path, query: kept.join('&') };
}
