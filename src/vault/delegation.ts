import { AlterError } from '../errors.ts';
import type { GrantRecord } from './records.ts';
import { checkUsable } from './usable.ts';

/** The `rule` of a refusal that has its reason in the grant from which the named one was delegated. */
const SOURCE_RULE = 'delegation_source';

/**
 * Checks the grant from which `delegation` was delegated. Throws AlterError: what a use of the source itself would answer, with the rule
 * `delegation_source`, and `grant_not_found` for a chain that no administration makes: longer than one step, to another secret or app, from
 * or to a principal that cannot delegate or be delegated to.
 */
export function checkSource(delegation: GrantRecord, source: GrantRecord | undefined, now: number): void {
  if (source === undefined) throw new AlterError('grant_deleted', { rule: SOURCE_RULE });
  const { principal, app, secretId } = source;
  const delegable = principal.type === 'user' || principal.type === 'group';
  const fits = app === delegation.app && secretId === delegation.secretId && delegation.principal.type === 'agent';
  if (!delegable || !fits || source.delegatedFrom !== undefined) throw new AlterError('grant_not_found', { rule: 'delegation_broken' });
  checkUsable(source, now, SOURCE_RULE);
}
