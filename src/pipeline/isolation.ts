import type { ResolvedGrant } from '../vault/resolved.ts';
import type { Exchange } from './exchange.ts';

const GRANT = ' grant ';

/** A cached grant is one object for all its requests. */
const ofGrant = new WeakMap<ResolvedGrant, string>();

/** Who may share an upstream connection with this exchange: nobody but other uses of the same grant, or of the same key without one. */
export function isolationOf({ caller, resolved }: Exchange): string {
  if (resolved === undefined) return `${caller.app} key ${caller.keyId}`;
  let isolation = ofGrant.get(resolved);
  if (isolation === undefined) ofGrant.set(resolved, (isolation = resolved.grant.app + GRANT + resolved.grant.id));
  return isolation;
}

/** The grant behind an isolation key, if there is one. */
export function grantOfIsolation(isolation: string): { readonly app: string; readonly id: string } | undefined {
  const at = isolation.indexOf(GRANT);
  return at === -1 ? undefined : { app: isolation.slice(0, at), id: isolation.slice(at + GRANT.length) };
}
