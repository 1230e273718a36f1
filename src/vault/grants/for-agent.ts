import { createHash } from 'node:crypto';
import { CommandError } from '../../errors.ts';
import { isAgentName } from '../names.ts';
import type { AgentRecord, GrantRecord } from '../records.ts';
import type { SecretFacts } from '../resolved.ts';
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

/** A grant that an agent holds. */
export interface AgentGrant {
  readonly grant: GrantRecord;
  readonly secret: SecretFacts;
  /** False when it stood already. */
  readonly issued: boolean;
}

/**
 * Issues a grant on a secret that the operator allowed the agent. The same agent, secret and label are the same grant, however often it is
 * asked for, also by several at the same time: `issued` is false when it stood already. One that was regenerated is its successor. One that has
 * expired lives anew, under its id, and counts as issued now; one that the operator revoked or deleted stays so, while another label is another
 * grant: what ends the agent on the secret is that it is no longer allowed. Rejects with CommandError: `not_allowed`, `not_found`, `record_invalid`.
 */
export async function issueForAgent(context: GrantContext, agentName: string, request: AgentGrantRequest): Promise<AgentGrant> {
  const agent = await activeAgent(context, agentName);
  const { id, status } = await allowedSecret(context, agent, request.secret);
  if (status !== 'active') throw new CommandError('not_allowed', `the secret that was asked for is ${status}`);
  const draft = await draftGrant(context, { ...request, secret: id, principal: { type: 'agent', agent: agentName } });
  const record: GrantRecord = { ...draft.record, id: grantIdOf(draft.record, agentName), selfIssued: true };
  const stored = await storeOnce(context, { ...draft, record });
  if (stored.issued) await context.trail.record(issueOf(stored.grant), `agent:${agentName}`);
  return { ...stored, secret: draft.secret };
}

type StoredGrant = Pick<AgentGrant, 'grant' | 'issued'>;

async function storeOnce(context: GrantContext, { record }: GrantDraft): Promise<StoredGrant> {
  if (await context.records.create('grant', record)) return { grant: record, issued: true };
  return liveOn(context, record.id, record);
}

/** The grant that stands under `id`, or the last of those that took its place. With an expiry that is past it gets the life of `asked`. */
async function liveOn(context: GrantContext, id: string, asked: GrantRecord): Promise<StoredGrant> {
  const { records, now } = context;
  let issued = false;
  const grant = await records.update('grant', id, (standing) => {
    issued = false;
    if (standing.replacedBy !== undefined) return standing;
    if (standing.status !== 'active') throw notAllowed(standing, `of this label is ${standing.status}`);
    issued = standing.expiresAt !== undefined && standing.expiresAt <= now();
    if (!issued) return standing;
    const { expiresAt: _past, ...rest } = standing;
    const { createdAt, updatedAt, expiresAt } = asked;
    return { ...rest, createdAt, updatedAt, ...(expiresAt === undefined ? {} : { expiresAt }) };
  });
  if (grant === undefined) throw new CommandError('record_conflict', 'the grant was taken away at the same time');
  return grant.replacedBy === undefined ? { grant, issued } : liveOn(context, grant.replacedBy, asked);
}

async function activeAgent({ records }: GrantContext, name: string): Promise<AgentRecord> {
  const agent = isAgentName(name) ? (await records.read('agent', name))?.record : undefined;
  if (agent?.status !== 'active') throw new CommandError('not_allowed', `the agent ${JSON.stringify(name)} is not active`);
  return agent;
}

/**
 * The secret of this id or name among those that the agent was allowed. No other is looked at, so neither the answer nor its time tells an
 * agent of what else there is.
 */
async function allowedSecret({ secrets }: GrantContext, { id: agent, mayIssue }: AgentRecord, asked: string): Promise<SecretFacts> {
  const allowed = await Promise.all(mayIssue.map((id) => secrets.show(id).catch(absent)));
  const meant = allowed.filter((facts) => facts?.id === asked || facts?.name === asked);
  // A name is free again once its secret was deleted.
  const found = meant.find((facts) => facts?.status !== 'deleted') ?? meant.at(-1);
  if (found !== undefined) return found;
  throw new CommandError('not_allowed', `the agent ${agent} may issue no grants on this secret`, {
    hint: 'An operator can allow it with `alter-proxy agent allow`.',
  });
}

function absent(error: unknown): undefined {
  if (error instanceof CommandError && error.code === 'not_found') return undefined;
  throw error;
}

/** One id for one agent, secret and label, so that the store itself lets only one of them be made: a UUID of version 8 (RFC 9562 §5.8). */
function grantIdOf({ app, secretId, label }: GrantRecord, agent: string): string {
  const bytes = createHash('sha256').update(['agent grant', app, agent, secretId, label].join('\0')).digest();
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}
