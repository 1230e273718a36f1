import { CommandError } from '../errors.ts';
import type { Credential } from './credential.ts';
import { writeHeader } from './header.ts';
import type { PreparedRule } from './prepared-rule.ts';

/** `bearer`: `Authorization: Bearer <token>` (RFC 6750 §2.1). */
export function prepareBearer(rule: { readonly format: string }, credential: Credential): PreparedRule {
  const token = credential.render(rule.format);
  if (/^$|\s/.test(token)) throw new CommandError('record_invalid', 'the bearer token is empty or holds a space');
  return writeHeader('Authorization', `Bearer ${token}`, credential.hides(rule.format) ? [token] : undefined);
}
