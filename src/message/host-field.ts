import { formatAuthority, type Origin } from './authority.ts';
import { prepareField, type PreparedField } from './header-list.ts';

/** By origin: a connection has the same one for all its requests. */
const fields = new WeakMap<Origin, PreparedField>();

/** The Host field of a request to `origin`. */
export function hostField(origin: Origin): PreparedField {
  let field = fields.get(origin);
  if (field === undefined) fields.set(origin, (field = prepareField('Host', formatAuthority(origin, origin.scheme))));
  return field;
}
