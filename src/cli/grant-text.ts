/** Grants as commands print them. */
import type { GrantPrincipal, GrantRecord } from '../vault/records.ts';
import type { GrantStatus, GrantView } from '../vault/grants/view.ts';
import { formatInstant, isoInstant } from './duration.ts';
import { shortOrigin } from './origin-text.ts';
import type { Cell, Output } from './output.ts';
import { shortRule } from './policy-text.ts';

/** A grant as JSON for programs. */
export function grantForPrograms({ grant, secret, status, uses, lastUsedAt }: GrantView): Record<string, unknown> {
  const { id, app, label, description, secretId, principal, policy, delegatedFrom, clonedFrom, replaces, replacedBy } = grant;
  return {
    id, app, label,
    description: description ?? null,
    secretId,
    secretName: secret?.name ?? null,
    provider: secret?.provider ?? null,
    origins: secret?.origins ?? [],
    principal,
    selfIssued: grant.selfIssued ?? false,
    policy, status,
    createdAt: isoInstant(grant.createdAt),
    updatedAt: isoInstant(grant.updatedAt),
    expiresAt: isoInstant(grant.expiresAt),
    uses: uses ?? null,
    lastUsedAt: isoInstant(lastUsedAt),
    delegatedFrom: delegatedFrom ?? null,
    clonedFrom: clonedFrom ?? null,
    replaces: replaces ?? null,
    replacedBy: replacedBy ?? null,
  }; // prettier-ignore
}

/** A principal in a few words, in the form in which options take it: `user okta:ann`. */
export function principalText(principal: GrantPrincipal): string {
  switch (principal.type) {
    case 'system':
      return 'system';
    case 'user':
      return `user ${principal.idp}:${principal.subject}`;
    case 'group':
      return `group ${principal.idp}:${principal.group}`;
    case 'agent':
      return `agent ${principal.agent}`;
  }
}

/** The status in colour. */
export function grantStatusCell(output: Output, status: GrantStatus): Cell {
  return { painted: output.paint(status === 'active' ? 'green' : 'red', status.replace('_', ' ')) };
}

/** How often it was used, as far as that is known. */
export function usesText(uses: number | undefined): string {
  return uses === undefined ? 'unknown' : String(uses);
}

/** The rules of a grant in one line. */
export function policyText(grant: GrantRecord): string {
  return grant.policy.map(shortRule).join('; ');
}

/** Everything about a grant, for people. */
export function grantFacts(output: Output, { grant, secret, status, uses, lastUsedAt }: GrantView, now: number): string[] {
  const expires = isoInstant(grant.expiresAt);
  return output.facts([
    ['Grant', grant.id],
    ['Label', grant.label],
    ['Description', grant.description],
    ['App', grant.app],
    ['Principal', principalText(grant.principal)],
    ['Issued by', grant.selfIssued === true ? 'its agent, for itself' : undefined],
    ['Secret', secret === undefined ? grant.secretId : `${secret.name} (${secret.id})`],
    ...(secret?.origins ?? []).map((origin, index) => [index === 0 ? 'Destinations' : '', shortOrigin(origin)] as const),
    ['Policy', policyText(grant) || 'none'],
    ['Status', grantStatusCell(output, status)],
    ['Created', isoInstant(grant.createdAt) ?? ''],
    ['Expires', expires === null ? 'never' : `${expires} (${formatInstant(grant.expiresAt, now)})`],
    ['Uses', usesText(uses)],
    ['Last used', formatInstant(lastUsedAt, now)],
    ['Delegated from', grant.delegatedFrom],
    ['Cloned from', grant.clonedFrom],
    ['Replaces', grant.replaces],
    ['Replaced by', grant.replacedBy],
  ]);
}
