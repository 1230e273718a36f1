import { CommandError } from '../../errors.ts';
import type { GrantRecord } from '../records.ts';
import { changeGrants, issueGrants } from './bulk.ts';
import type { BulkResult } from './bulk.ts';
import { changeGrant } from './change.ts';
import type { GrantChange, GrantEdit } from './change.ts';
import { readGrant } from './context.ts';
import type { GrantContext } from './context.ts';
import { findGrants } from './find.ts';
import type { GrantFilter, GrantPage } from './find.ts';
import { issueForAgent } from './for-agent.ts';
import type { AgentGrant, AgentGrantRequest } from './for-agent.ts';
import { issueGrant } from './issue.ts';
import type { NewGrant } from './issue.ts';
import { cloneGrant, delegateGrant, regenerateGrant } from './successors.ts';
import type { CloneOptions, DelegateOptions } from './successors.ts';
import { viewGrants } from './view.ts';
import type { GrantView } from './view.ts';

/** What can be done with the grants of one app. Rejects with CommandError. Each change is recorded in the audit stream. */
export interface GrantAdministration {
  issueGrant(input: NewGrant): Promise<GrantRecord>;
  /** See {@link issueForAgent}. */
  issueGrantForAgent(agent: string, request: AgentGrantRequest): Promise<AgentGrant>;
  /** All of them, oldest first. */
  listGrants(): Promise<readonly GrantRecord[]>;
  findGrants(filter: GrantFilter, page?: { readonly limit?: number; readonly cursor?: string }): Promise<GrantPage>;
  showGrant(id: string): Promise<GrantRecord>;
  /** The grant with its secret, status and uses. */
  viewGrant(id: string): Promise<GrantView>;
  editGrant(id: string, edit: GrantEdit): Promise<GrantRecord>;
  /** Until {@link reactivateGrant}; a deleted grant stays as it is. */
  revokeGrant(id: string): Promise<GrantRecord>;
  reactivateGrant(id: string): Promise<GrantRecord>;
  /** For good: leaves a tombstone that answers `grant_deleted`. */
  deleteGrant(id: string): Promise<GrantRecord>;
  cloneGrant(id: string, options?: CloneOptions): Promise<GrantRecord>;
  /** The grant with the new id. */
  regenerateGrant(id: string, options?: { readonly graceMs?: number }): Promise<GrantRecord>;
  delegateGrant(id: string, options: DelegateOptions): Promise<GrantRecord>;
  issueGrants(inputs: readonly NewGrant[], options?: { readonly dryRun?: boolean }): Promise<readonly BulkResult[]>;
  changeGrants(ids: readonly string[], change: GrantChange, options?: { readonly dryRun?: boolean }): Promise<readonly BulkResult[]>;
}

/** The administration of the grants of one app. */
export function grantAdministration(context: GrantContext): GrantAdministration {
  const change = async (id: string, what: GrantChange): Promise<GrantRecord> => (await changeGrant(context, id, what)).after;
  return {
    issueGrant: (input) => issueGrant(context, input),
    issueGrantForAgent: (agent, request) => issueForAgent(context, agent, request),
    listGrants: async () => (await context.records.list('grant')).records,
    findGrants: (filter, page) => findGrants(context, filter, page),
    showGrant: (id) => readGrant(context, id),
    viewGrant: (id) => viewGrant(context, id),
    editGrant: (id, edit) => change(id, { edit }),
    revokeGrant: (id) => change(id, 'revoke'),
    reactivateGrant: (id) => change(id, 'reactivate'),
    deleteGrant: (id) => change(id, 'delete'),
    cloneGrant: (id, options = {}) => cloneGrant(context, id, options),
    regenerateGrant: (id, { graceMs } = {}) => regenerateGrant(context, id, graceMs),
    delegateGrant: (id, options) => delegateGrant(context, id, options),
    issueGrants: (inputs, { dryRun } = {}) => issueGrants(context, inputs, dryRun),
    changeGrants: (ids, what, { dryRun } = {}) => changeGrants(context, ids, what, dryRun),
  };
}

async function viewGrant(context: GrantContext, id: string): Promise<GrantView> {
  const grant = await readGrant(context, id);
  const source = grant.delegatedFrom === undefined ? undefined : await readGrant(context, grant.delegatedFrom).catch(absent);
  const [view] = await viewGrants(context, [grant], source === undefined ? [grant] : [grant, source]);
  if (view === undefined) throw new TypeError('one grant has one view');
  return view;
}

function absent(error: unknown): undefined {
  if (!(error instanceof CommandError) || error.code !== 'not_found') throw error;
}
