import type { HeaderList } from '../message/header-list.ts';
import type { Policy } from './policy.ts';

/** A form that says what is asked for is short; more of a body is not held to find it. */
export const MAX_FORM_BYTES = 1024 * 1024;

const FORM = /^application\/x-www-form-urlencoded(?:\s*;|$)/i;

/** Whether a rule of `policy` wants to know the text of the body: a form, and not compressed. */
export function wantsForm(policy: Policy, headers: Pick<HeaderList, 'get' | 'has'>): boolean {
  return policy.readsForm && FORM.test(headers.get('content-type') ?? '') && !headers.has('content-encoding');
}
