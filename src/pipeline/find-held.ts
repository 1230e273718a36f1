import { AlterError } from '../errors.ts';
import type { WireCode } from '../errors.ts';
import { all, chain } from '../message/maybe-promise.ts';
import type { MaybePromise } from '../message/maybe-promise.ts';
import type { VerifiedUser } from '../principals/user.ts';
import { holderId } from '../vault/holders.ts';
import type { HolderPrincipal } from '../vault/holders.ts';
import type { HolderRecord } from '../vault/records.ts';
import type { ResolvedGrant } from '../vault/resolved.ts';

/** Where grants are found, by their id and by who holds them. Throws or rejects with AlterError. */
export interface HeldGrantSource {
  resolveGrant(app: string, id: string): MaybePromise<ResolvedGrant>;
  readonly access: { findHolder(app: string, id: string): MaybePromise<HolderRecord | undefined> };
}

/** Codes of a grant that is listed and cannot be used: as if it were not listed. */
const ENDED: ReadonlySet<WireCode> = new Set(['grant_not_found', 'grant_expired', 'grant_revoked', 'grant_deleted', 'credential_revoked']);
const MAX_LABELS = 10;

/**
 * The one grant for `provider` that the user holds, else the one that the groups of the user hold. Throws or rejects with AlterError
 * `grant_not_found`, `ambiguous_grant` with the labels, and `store_unavailable`.
 */
export function findHeld(grants: HeldGrantSource, user: VerifiedUser, provider: string): MaybePromise<ResolvedGrant> {
  const { idp, subject, groups } = user;
  return chain(heldBy(grants, user.app, { type: 'user', idp, subject }, provider), (own) => {
    if (own.length > 0) return theOnly(own);
    const ofGroups = all([...groups], (group) => heldBy(grants, user.app, { type: 'group', idp, group }, provider));
    return chain(ofGroups, (found) => theOnly(found.flat()));
  });
}

function heldBy(grants: HeldGrantSource, app: string, holder: HolderPrincipal, provider: string): MaybePromise<readonly ResolvedGrant[]> {
  return chain(grants.access.findHolder(app, holderId(holder)), (record) => {
    const listed = (record?.grants ?? []).filter((held) => held.provider === provider);
    const usables = all(listed, ({ id }) => usable(grants, app, id));
    return chain(usables, (resolved) =>
      resolved.filter((found): found is ResolvedGrant => found !== undefined && belongs(found, holder, provider)),
    );
  });
}

function usable(grants: HeldGrantSource, app: string, id: string): MaybePromise<ResolvedGrant | undefined> {
  try {
    const resolved = grants.resolveGrant(app, id);
    return resolved instanceof Promise ? resolved.catch(noneIfEnded) : resolved;
  } catch (error) {
    return noneIfEnded(error);
  }
}

function noneIfEnded(error: unknown): ResolvedGrant | undefined {
  if (error instanceof AlterError && ENDED.has(error.code)) return undefined;
  throw error;
}

/** The index says where to look; what counts is the grant itself. */
function belongs({ grant: { principal }, secret }: ResolvedGrant, holder: HolderPrincipal, provider: string): boolean {
  if (secret.provider !== provider || principal.type !== holder.type) return false;
  return holderId(principal) === holderId(holder);
}

function theOnly(found: readonly ResolvedGrant[]): ResolvedGrant {
  const [only, another] = found;
  if (only === undefined) throw new AlterError('grant_not_found', { rule: 'no_grant_for_provider' });
  if (another === undefined) return only;
  const labels = found.slice(0, MAX_LABELS).map(({ grant }) => JSON.stringify(grant.label));
  const more = found.length > MAX_LABELS ? ` and ${String(found.length - MAX_LABELS)} more` : '';
  throw new AlterError('ambiguous_grant', { detail: `several grants fit: ${labels.join(', ')}${more}` });
}
