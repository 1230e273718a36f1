import { CommandError } from '../errors.ts';
import type { Credential } from './credential.ts';
import { writeHeader } from './header.ts';
import type { PreparedRule } from './prepared-rule.ts';

/** `basic`: `Authorization: Basic <base64 of user:password in UTF-8>` (RFC 7617 §2). The password may be empty. */
export function prepareBasic(rule: { readonly username: string; readonly password: string }, credential: Credential): PreparedRule {
  const username = credential.render(rule.username);
  const password = credential.render(rule.password);
  if (username.includes(':')) throw new CommandError('record_invalid', 'the user name of Basic authentication must not hold a colon');
  if (username === '' && password === '') throw new CommandError('record_invalid', 'user name and password are both empty');
  const pair = `${username}:${password}`;
  const encoded = Buffer.from(pair, 'utf8').toString('base64');
  return writeHeader('Authorization', `Basic ${encoded}`, credential.hides(rule.username, rule.password) ? [encoded, pair] : undefined);
}
