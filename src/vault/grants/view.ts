import type { GrantPrincipal, GrantRecord } from '../records.ts';
import type { SecretFacts } from '../resolved.ts';
import type { GrantContext } from './context.ts';

/**
 * What a grant is worth now, whatever its own record says: it ends with its time, with its secret, with its agent or identity provider, and with
 * the grant it was delegated from. A paused agent ends nothing: who chooses the active grants means those of it, too.
 */
export const GRANT_STATUSES = ['active', 'expired', 'revoked', 'deleted', 'credential_revoked', 'principal_ended', 'source_ended'] as const;

/** One of {@link GRANT_STATUSES}. */
export type GrantStatus = (typeof GRANT_STATUSES)[number];

/** A grant with what belongs to it. */
export interface GrantView {
  readonly grant: GrantRecord;
  /** Undefined when its record is gone. */
  readonly secret: SecretFacts | undefined;
  readonly status: GrantStatus;
  /** Uses as far as the proxies have written them: a few seconds late. Undefined: the counts cannot be read. */
  readonly uses: number | undefined;
  /** Milliseconds since the epoch; undefined: never used, as far as is known. */
  readonly lastUsedAt: number | undefined;
}

/** The grants with their secrets, status and uses, in the same order. `all`: every grant of the app, among which sources are looked for. */
export async function viewGrants(
  context: GrantContext,
  grants: readonly GrantRecord[],
  all: readonly GrantRecord[],
): Promise<readonly GrantView[]> {
  const secrets = new Map((await context.secrets.list()).map((secret) => [secret.id, secret]));
  const uses = await context.records.uses(grants.map(({ id }) => id));
  const hasPrincipal = await livingPrincipals(context, all);
  const byId = new Map(all.map((grant) => [grant.id, grant]));
  const now = context.now();
  return grants.map((grant) => {
    const secret = secrets.get(grant.secretId);
    const source = grant.delegatedFrom === undefined ? undefined : byId.get(grant.delegatedFrom);
    const used = uses?.get(grant.id);
    const count = uses === undefined ? undefined : (used?.count ?? 0);
    return { grant, secret, status: statusOf(grant, { secret, source, hasPrincipal, now }), uses: count, lastUsedAt: used?.lastAt };
  });
}

/** Whether the agent or the identity provider of a grant is there. */
type HasPrincipal = (grant: GrantRecord) => boolean;

/** Says it for `grants`, and reads each agent and identity provider once. */
async function livingPrincipals({ records }: GrantContext, grants: readonly GrantRecord[]): Promise<HasPrincipal> {
  const types = new Set<GrantPrincipal['type']>(grants.map(({ principal }) => principal.type));
  const agents = types.has('agent') ? (await records.list('agent')).records : [];
  const idps = types.has('user') || types.has('group') ? (await records.list('idp')).records : [];
  const living = new Set(agents.filter(({ status }) => status !== 'deleted').map(({ id }) => id));
  const known = new Set(idps.map(({ id }) => id));
  return ({ principal }) => {
    switch (principal.type) {
      case 'system':
        return true;
      case 'agent':
        return living.has(principal.agent);
      case 'user':
      case 'group':
        return known.has(principal.idp);
    }
  };
}

interface Circumstances {
  readonly secret: SecretFacts | undefined;
  /** Of a delegation. */
  readonly source: GrantRecord | undefined;
  readonly hasPrincipal: HasPrincipal;
  readonly now: number;
}

/** The status of a grant at `now`, from its record and what it depends on. */
function statusOf(grant: GrantRecord, { secret, source, hasPrincipal, now }: Circumstances): GrantStatus {
  if (grant.status !== 'active') return grant.status;
  if (hasExpired(grant, now)) return 'expired';
  if (secret?.status !== 'active') return 'credential_revoked';
  if (!hasPrincipal(grant)) return 'principal_ended';
  if (grant.delegatedFrom === undefined) return 'active';
  const sourceWorks = source?.status === 'active' && !hasExpired(source, now) && hasPrincipal(source);
  return sourceWorks ? 'active' : 'source_ended';
}

function hasExpired({ expiresAt }: GrantRecord, now: number): boolean {
  return expiresAt !== undefined && expiresAt <= now;
}
