import { CommandError } from '../errors.ts';
import type { Credential } from './credential.ts';
import { writeHeader } from './header.ts';
import type { PreparedRule } from './prepared-rule.ts';

/** `basic_encoded`: `Authorization: Basic` with a pair that the provider handed out in base64 already. Its padding may be missing. */
export function prepareBasicEncoded(rule: { readonly format: string }, credential: Credential): PreparedRule {
  const encoded = credential.render(rule.format);
  const pair = Buffer.from(encoded, 'base64');
  const canonical = pair.toString('base64');
  if ((encoded !== canonical && encoded !== canonical.replace(/=+$/, '')) || !pair.includes(':')) {
    throw new CommandError('record_invalid', 'the pre-encoded credential of Basic authentication is not the base64 of user:password');
  }
  return writeHeader('Authorization', `Basic ${encoded}`, credential.hides(rule.format) ? [encoded, pair.toString('latin1')] : undefined);
}
