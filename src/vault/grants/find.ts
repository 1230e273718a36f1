import type { GrantPrincipal, GrantRecord } from '../records.ts';
import { readGrant } from './context.ts';
import type { GrantContext } from './context.ts';
import { viewGrants } from './view.ts';
import type { GrantStatus, GrantView } from './view.ts';

/** Which grants; a member that is left out lets all of them pass. */
export interface GrantFilter {
  /** Id or name. */
  readonly secret?: string;
  /** Slug of the provider of the secret. */
  readonly provider?: string;
  readonly principalType?: GrantPrincipal['type'];
  /** This very principal. */
  readonly principal?: GrantPrincipal;
  readonly status?: readonly GrantStatus[];
  /** Part of the label, in any case. */
  readonly label?: string;
  /** Expires within so many milliseconds from now on, and has not yet. */
  readonly expiringWithinMs?: number;
}

/** A part of a listing. */
export interface GrantPage {
  /** Oldest first. */
  readonly grants: readonly GrantView[];
  /** Id of the last grant of this page, for the next one; undefined: there is no next one. */
  readonly cursor: string | undefined;
}

/** The grants that pass `filter`, oldest first: `limit` of them after the one whose id is `cursor`. Rejects with CommandError. */
export async function findGrants(
  context: GrantContext,
  filter: GrantFilter,
  page: { readonly limit?: number; readonly cursor?: string } = {},
): Promise<GrantPage> {
  const after = page.cursor === undefined ? undefined : await readGrant(context, page.cursor);
  const all = (await context.records.list('grant')).records;
  const secretId = filter.secret === undefined ? undefined : (await context.secrets.show(filter.secret)).id;
  const candidates = all.filter((grant) => (secretId === undefined || grant.secretId === secretId) && passes(grant, filter, context.now()));
  const found = (await viewGrants(context, candidates, all)).filter(
    ({ secret, status }) =>
      (filter.provider === undefined || secret?.provider === filter.provider) && (filter.status?.includes(status) ?? true),
  );
  const left = after === undefined ? found : found.filter(({ grant }) => isAfter(grant, after));
  const grants = page.limit === undefined ? left : left.slice(0, page.limit);
  const last = grants.at(-1);
  return { grants, cursor: last === undefined || grants.length === left.length ? undefined : last.grant.id };
}

function passes(grant: GrantRecord, filter: GrantFilter, now: number): boolean {
  const { principalType, principal, label, expiringWithinMs } = filter;
  const { expiresAt = Infinity } = grant;
  return (
    (principalType === undefined || grant.principal.type === principalType) &&
    (principal === undefined || samePrincipal(grant.principal, principal)) &&
    (label === undefined || grant.label.toLowerCase().includes(label.toLowerCase())) &&
    (expiringWithinMs === undefined || (expiresAt > now && expiresAt <= now + expiringWithinMs))
  );
}

/** Whether both are the same user, group, agent, or the system. */
export function samePrincipal(one: GrantPrincipal, other: GrantPrincipal): boolean {
  switch (one.type) {
    case 'system':
      return other.type === 'system';
    case 'agent':
      return other.type === 'agent' && one.agent === other.agent;
    case 'user':
      return other.type === 'user' && one.idp === other.idp && one.subject === other.subject;
    case 'group':
      return other.type === 'group' && one.idp === other.idp && one.group === other.group;
  }
}

function isAfter(grant: GrantRecord, { createdAt, id }: GrantRecord): boolean {
  return grant.createdAt > createdAt || (grant.createdAt === createdAt && grant.id > id);
}
