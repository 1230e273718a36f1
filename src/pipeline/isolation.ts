import type { Exchange } from './exchange.ts';

const GRANT = ' grant ';

/** Who may share an upstream connection with this exchange: nobody but other uses of the same grant, or of the same key without one. */
export function isolationOf({ caller, resolved }: Exchange): string {
  return resolved === undefined ? `${caller.app} key ${caller.keyId}` : caller.app + GRANT + resolved.grant.id;
}

/** The grant behind an isolation key, if there is one. */
export function grantOfIsolation(isolation: string): { readonly app: string; readonly id: string } | undefined {
  const at = isolation.indexOf(GRANT);
  return at === -1 ? undefined : { app: isolation.slice(0, at), id: isolation.slice(at + GRANT.length) };
}
