import { createHash } from 'node:crypto';
import { CommandError } from '../../errors.ts';
import { isAgentName } from '../names.ts';
import type { AgentRecord, GrantRecord } from '../records.ts';
import { notAllowed } from './context.ts';
import type { GrantContext } from './context.ts';
import { draftGrant, issueOf } from './issue.ts';
import type { GrantDraft } from './issue.ts';
import type { AskedLife } from './life.ts';

/** A grant as an agent asks for it, for itself. */
export interface AgentGrantRequest extends AskedLife {
  /** Id or name. */
  readonly secret: string;
  readonly label: string;
}

/**
 * Issues a grant on a secret that the operator allowed the agent. The same agent, secret and label are the same grant, however often it is
 * asked for, also by several at the same time: `issued` is false when it stood already. One that has expired lives anew, under its id; one
 * that the operator revoked or deleted stays so. Rejects with CommandError: `not_allowed`, `not_found`, `record_invalid`.
 */
export async function issueForAgent(
  context: GrantContext,
  agentName: string,
  request: AgentGrantRequest,
): Promise<{ readonly grant: GrantRecord; readonly issued: boolean }> {
  const agent = await activeAgent(context, agentName);
  const known = await context.secrets.show(request.secret).catch(hideUnknown);
  if (known === undefined || !agent.mayIssue.includes(known.id)) throw refusal(agentName, request.secret);
  const draft = await draftGrant(context, { ...request, secret: known.id, principal: { type: 'agent', agent: agentName } });
  const stored = await storeOnce(context, { ...draft, record: { ...draft.record, id: grantIdOf(draft.record, agentName) } });
  if (stored.issued) await context.trail.record(issueOf(stored.grant), `agent:${agentName}`);
  return stored;
}

async function storeOnce(
  { records, now }: GrantContext,
  { record }: GrantDraft,
): Promise<{ readonly grant: GrantRecord; readonly issued: boolean }> {
  if (await records.create('grant', record)) return { grant: record, issued: true };
  let issued = false;
  const grant = await records.update('grant', record.id, (standing) => {
    if (standing.status !== 'active') throw notAllowed(standing, `of this label is ${standing.status}`);
    issued = standing.expiresAt !== undefined && standing.expiresAt <= now();
    if (!issued) return standing;
    if (standing.replacedBy !== undefined) throw notAllowed(standing, `was replaced by ${standing.replacedBy}`);
    const { expiresAt: _past, ...rest } = standing;
    return { ...rest, ...(record.expiresAt === undefined ? {} : { expiresAt: record.expiresAt }), updatedAt: record.updatedAt };
  });
  if (grant === undefined) throw new CommandError('record_conflict', 'the grant was taken away at the same time');
  return { grant, issued };
}

async function activeAgent({ records }: GrantContext, name: string): Promise<AgentRecord> {
  const agent = isAgentName(name) ? (await records.read('agent', name))?.record : undefined;
  if (agent?.status !== 'active') throw new CommandError('not_allowed', `the agent ${JSON.stringify(name)} is not active`);
  return agent;
}

/** An agent learns no names: a secret that does not exist is refused like one that it may not use. */
function hideUnknown(error: unknown): undefined {
  if (error instanceof CommandError && error.code === 'not_found') return undefined;
  throw error;
}

function refusal(agent: string, secret: string): CommandError {
  return new CommandError('not_allowed', `the agent ${agent} may issue no grants on ${JSON.stringify(secret)}`, {
    hint: 'An operator can allow it with `alter-proxy agent allow`.',
  });
}

/** One id for one agent, secret and label, so that the store itself lets only one of them be made: a UUID of version 8 (RFC 9562 §5.8). */
function grantIdOf({ app, secretId, label }: GrantRecord, agent: string): string {
  const bytes = createHash('sha256').update(['agent grant', app, agent, secretId, label].join('\0')).digest();
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}
