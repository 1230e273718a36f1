import type { Recorder } from '../audit/recorder.ts';
import { AlterError, CommandError } from '../errors.ts';
import type { Store } from '../store/store.ts';
import type { GrantAdministration } from '../vault/grants/administration.ts';
import type { GrantView } from '../vault/grants/view.ts';
import { reach } from '../vault/sealed-records.ts';
import { parseGrantRequest } from './grant-request.ts';

/** A call by whom its key says. */
export interface AgentCall {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly contentType: string | undefined;
  readonly caller: { readonly type: 'app' | 'agent'; readonly agent?: string };
  /** Rejects with AlterError beyond `maxBytes`. */
  readBody(maxBytes: number): Promise<Buffer>;
}

/** What is answered: a status, and what becomes JSON. */
export interface AgentAnswer {
  readonly status: number;
  readonly document: object;
}

/** What the grants of agents stand on. */
export interface AgentGrantsOptions {
  readonly administration: Pick<GrantAdministration, 'issueGrantForAgent' | 'findGrants'>;
  /** `agents.self_issue`. */
  readonly selfIssue: boolean;
  /** Counts over all proxies that use it. */
  readonly store: Pick<Store, 'takeFromCounter'>;
  /** Refuses while no more events can wait. */
  readonly recorder: Pick<Recorder, 'requireRoom'>;
  readonly app: string;
}

const PATH = '/v1/grants';
const MAX_BODY_BYTES = 4096;
const MINUTE_MS = 60_000;
/** Calls of one agent in a minute. A listing reads every grant of the app. */
const MOST_CALLS = { POST: 120, GET: 12 };

/**
 * `POST /v1/grants`: a grant for the agent that asks, on a secret that it was allowed; 201 when it was issued, 200 when it stood already.
 * `GET /v1/grants`: its active grants. The function rejects with AlterError for everything else.
 */
export function createAgentGrants(options: AgentGrantsOptions): (call: AgentCall) => Promise<AgentAnswer> {
  return async (call) => {
    if (call.target !== PATH) throw new AlterError('endpoint_not_found');
    const { method, caller } = call;
    if (caller.type !== 'agent' || caller.agent === undefined) throw new AlterError('agent_key_required');
    if (method !== 'POST' && method !== 'GET') throw new AlterError('endpoint_method_not_allowed', { headers: ['Allow', 'GET, POST'] });
    if (!options.selfIssue) throw new AlterError('grant_not_allowed', { detail: 'agents.self_issue is off for this proxy' });
    try {
      await takeCall(options, method, caller.agent);
      return method === 'POST' ? await issue(options, caller.agent, call) : await list(options, caller.agent);
    } catch (error) {
      throw error instanceof CommandError ? refusalOf(error) : error;
    }
  };
}

async function takeCall({ store, app }: AgentGrantsOptions, method: 'POST' | 'GET', agent: string): Promise<void> {
  const counter = { name: `agent-grants:${method}:${agent}`, limit: MOST_CALLS[method], windowMs: MINUTE_MS };
  const { taken, resetMs } = await reach(() => store.takeFromCounter(app, counter));
  if (!taken) throw new AlterError('rate_limited', { retryAfterS: Math.max(1, Math.ceil(resetMs / 1000)) });
}

async function issue({ administration, recorder }: AgentGrantsOptions, agent: string, call: AgentCall): Promise<AgentAnswer> {
  if (!/^application\/json[\t ]*(?:;|$)/i.test(call.contentType ?? '')) throw new AlterError('content_type_not_supported');
  const request = parseGrantRequest(await call.readBody(MAX_BODY_BYTES));
  recorder.requireRoom();
  const { grant, secret, issued } = await administration.issueGrantForAgent(agent, request);
  return { status: issued ? 201 : 200, document: documentOf({ grant, secret, status: 'active' }) };
}

async function list({ administration }: AgentGrantsOptions, agent: string): Promise<AgentAnswer> {
  const { grants } = await administration.findGrants({ principal: { type: 'agent', agent }, status: ['active'] });
  return { status: 200, document: { grants: grants.map(documentOf) } };
}

/** A grant as its agent sees it. */
function documentOf({ grant, secret, status }: Pick<GrantView, 'grant' | 'secret' | 'status'>): object {
  const { expiresAt } = grant;
  return {
    id: grant.id,
    label: grant.label,
    secret: secret?.name ?? null,
    provider: secret?.provider ?? null,
    hosts: secret?.origins ?? [],
    status,
    expires_at: expiresAt === undefined ? null : new Date(expiresAt).toISOString(),
  };
}

/** What a command would end with, as an answer on the wire. The texts of the first two are about what the agent itself said and holds. */
function refusalOf(cause: CommandError): AlterError {
  const { code, message } = cause;
  switch (code) {
    case 'not_allowed':
      return new AlterError('grant_not_allowed', { detail: message });
    case 'record_invalid':
      return new AlterError('grant_request_invalid', { detail: message });
    case 'store_unreachable':
      return new AlterError('store_unavailable', { cause });
    case 'record_conflict':
      return new AlterError('grant_issue_unavailable', {
        detail: 'somebody else changes it at this moment: try again',
        retryAfterS: 1,
        cause,
      });
    // Of what is looked for, only the key that seals can be missing.
    case 'not_found':
      return new AlterError('grant_issue_unavailable', { cause });
    default:
      return new AlterError('internal_error', { cause });
  }
}
