import { CommandError } from '../errors.ts';
import type { HeaderList } from '../message/header-list.ts';
import { cookieNames } from '../message/cookie.ts';
import { isToken, trimSpaces } from '../message/syntax.ts';
import type { Credential } from './credential.ts';
import type { PreparedRule } from './prepared-rule.ts';

/** cookie-octet (RFC 6265 §4.1.1): what no server reads as the end of a value. */
const COOKIE_VALUE = /^[!#-+\--:<-[\]-~]+$/;

/** `cookie`: one cookie. Those of other names stay byte for byte, in one Cookie field (RFC 6265 §5.4). */
export function prepareCookie(rule: { readonly name: string; readonly format: string }, credential: Credential): PreparedRule {
  const value = credential.render(rule.format);
  if (!isToken(rule.name)) throw new CommandError('record_invalid', 'the name of an injected cookie is not a token');
  if (!COOKIE_VALUE.test(value))
    throw new CommandError(
      'record_invalid',
      `the value for the cookie ${rule.name} is empty, or holds a character that a cookie cannot carry`,
    );
  const pair = `${rule.name}=${value}`;
  const [wanted = ''] = cookieNames(rule.name);
  return {
    place: `cookie:${rule.name}`,
    apply: ({ headers }) => {
      replaceCookie(headers, wanted, pair);
    },
    sensitive: credential.hides(rule.format) ? [value] : [],
  };
}

function replaceCookie(headers: HeaderList, wanted: string, pair: string): void {
  const kept = headers
    .getAll('cookie')
    .flatMap((field) => field.split(';'))
    .map(trimSpaces)
    .filter((own) => own !== '' && !cookieNames(own).includes(wanted));
  headers.filter(({ lower }) => lower !== 'cookie');
  headers.append('Cookie', [...kept, pair].join('; '));
}
