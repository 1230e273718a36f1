import type { Uses } from '../../store/store.ts';
import type { GrantRecord } from '../records.ts';
import type { SecretFacts } from '../resolved.ts';
import { reach } from '../sealed-records.ts';
import type { GrantContext } from './context.ts';

/** What a grant is worth now, whatever its own record says: it ends with its time, with its secret, and with the grant it was delegated from. */
export const GRANT_STATUSES = ['active', 'expired', 'revoked', 'deleted', 'credential_revoked', 'source_ended'] as const;

/** One of {@link GRANT_STATUSES}. */
export type GrantStatus = (typeof GRANT_STATUSES)[number];

/** A grant with what belongs to it. */
export interface GrantView {
  readonly grant: GrantRecord;
  /** Undefined when its record is gone. */
  readonly secret: SecretFacts | undefined;
  readonly status: GrantStatus;
  /** Uses as far as the proxies have written them: a few seconds late. */
  readonly uses: number;
  /** Milliseconds since the epoch; undefined: never used. */
  readonly lastUsedAt: number | undefined;
}

/** The grants with their secrets, status and uses, in the same order. `all`: every grant of the app, among which sources are looked for. */
export async function viewGrants(
  context: GrantContext,
  grants: readonly GrantRecord[],
  all: readonly GrantRecord[],
): Promise<readonly GrantView[]> {
  const secrets = new Map((await context.secrets.list()).map((secret) => [secret.id, secret]));
  const uses = await usesOf(context, grants);
  const byId = new Map(all.map((grant) => [grant.id, grant]));
  const now = context.now();
  return grants.map((grant) => {
    const secret = secrets.get(grant.secretId);
    const source = grant.delegatedFrom === undefined ? undefined : byId.get(grant.delegatedFrom);
    const used = uses.get(grant.id);
    return { grant, secret, status: statusOf(grant, { secret, source, now }), uses: used?.count ?? 0, lastUsedAt: used?.lastAt };
  });
}

/** The status of a grant at `now`, from its record, its secret and, for a delegation, its source. */
function statusOf(
  grant: GrantRecord,
  { secret, source, now }: { readonly secret: SecretFacts | undefined; readonly source: GrantRecord | undefined; readonly now: number },
): GrantStatus {
  if (grant.status !== 'active') return grant.status;
  if (hasExpired(grant, now)) return 'expired';
  if (secret?.status !== 'active') return 'credential_revoked';
  if (grant.delegatedFrom !== undefined && (source?.status !== 'active' || hasExpired(source, now))) return 'source_ended';
  return 'active';
}

function hasExpired({ expiresAt }: GrantRecord, now: number): boolean {
  return expiresAt !== undefined && expiresAt <= now;
}

async function usesOf({ records }: GrantContext, grants: readonly GrantRecord[]): Promise<ReadonlyMap<string, Uses>> {
  const uses = await reach(() => records.store.readUses(records.app, grants.map(({ id }) => id))); // prettier-ignore
  return new Map(uses.map((use) => [use.id, use]));
}
