/**
 * What a user or a group holds: the index by which a grant is found without its id. Issuing and ending a grant keep it; it may list too much,
 * never too little, so a grant found by it is judged like any other.
 */
import { hash } from 'node:crypto';
import { CommandError } from '../errors.ts';
import { RECORD_VERSION } from './records.ts';
import type { GrantPrincipal, HolderRecord } from './records.ts';
import { WRITE_ATTEMPTS } from './sealed-records.ts';
import type { SealedRecords } from './sealed-records.ts';

/** A grant as the index lists it. */
export type HeldGrant = HolderRecord['grants'][number];

/** A principal that an identity provider knows. */
export type HolderPrincipal = Extract<GrantPrincipal, { readonly type: 'user' | 'group' }>;

/** Id of the record that lists the grants of `principal`: SHA-256 in hex. Undefined: grants of this kind of principal are not listed. */
export function holderId(principal: HolderPrincipal): string;
export function holderId(principal: GrantPrincipal): string | undefined;
export function holderId(principal: GrantPrincipal): string | undefined {
  switch (principal.type) {
    case 'user':
      return digest(['user', principal.idp, principal.subject]);
    case 'group':
      return digest(['group', principal.idp, principal.group]);
    case 'system':
    case 'agent':
      return undefined;
  }
}

/**
 * Lists `grant` among what `principal` holds; does nothing for principals whose grants are not listed. Call it before the grant itself is
 * written. `now` is milliseconds since the epoch. Rejects with CommandError.
 */
export async function addToHolder(records: SealedRecords, principal: GrantPrincipal, grant: HeldGrant, now: number): Promise<void> {
  const id = holderId(principal);
  if (id === undefined) return;
  for (let attempt = 0; attempt < WRITE_ATTEMPTS; attempt++) {
    const changed = await records.update('holder', id, (holder) => withGrant(holder, grant, now));
    if (changed !== undefined) return;
    const first: HolderRecord = { v: RECORD_VERSION, id, app: records.app, grants: [grant], createdAt: now, updatedAt: now };
    if (await records.create('holder', first)) return;
  }
  throw new CommandError('record_conflict', `the grants of one ${principal.type} are being changed by somebody else`);
}

/** Takes a grant off the list of what `principal` holds. Call it after the grant has ended. Rejects with CommandError. */
export async function removeFromHolder(records: SealedRecords, principal: GrantPrincipal, grantId: string, now: number): Promise<void> {
  const id = holderId(principal);
  if (id === undefined) return;
  await records.update('holder', id, (holder) => {
    const grants = holder.grants.filter((held) => held.id !== grantId);
    return grants.length === holder.grants.length ? holder : { ...holder, grants, updatedAt: now };
  });
}

function withGrant(holder: HolderRecord, grant: HeldGrant, now: number): HolderRecord {
  const known = holder.grants.find(({ id }) => id === grant.id);
  if (known?.provider === grant.provider) return holder;
  return { ...holder, grants: [...holder.grants.filter(({ id }) => id !== grant.id), grant], updatedAt: now };
}

/** Names of identity providers and the texts of claims hold no NUL, so that no two principals join to the same text. */
function digest(parts: readonly string[]): string {
  return hash('sha256', parts.join('\0'), 'hex');
}
