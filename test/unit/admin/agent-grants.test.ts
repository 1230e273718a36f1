/** Contract: who is no agent learns nothing but that; what the administration and the store cannot do becomes an answer of its own. */
import test from 'ava';
import { createAgentGrants, type AgentCall, type AgentGrantsOptions } from '../../../src/admin/agent-grants.ts';
import { AlterError, CommandError, type CommandCode, type WireCode } from '../../../src/errors.ts';
import { StoreUnavailableError } from '../../../src/store/store.ts';

const CALL: AgentCall = {
  method: 'POST',
  target: '/v1/grants',
  contentType: 'application/json; charset=utf-8',
  caller: { type: 'agent', agent: 'bot' },
  readBody: () => Promise.resolve(Buffer.from('{"secret":"stripe","label":"nightly"}')),
};

const failing = (code: CommandCode) => () => Promise.reject(new CommandError(code, `text of ${code}`));
const place = { taken: true, used: 1, resetMs: 1000 };

function answers(
  options: {
    readonly fails?: CommandCode;
    readonly take?: AgentGrantsOptions['store']['takeFromCounter'];
    readonly selfIssue?: boolean;
    readonly noRoom?: boolean;
  } = {},
) {
  const fail = failing(options.fails ?? 'internal');
  const administration: AgentGrantsOptions['administration'] = { issueGrantForAgent: fail, findGrants: fail };
  const store = { takeFromCounter: options.take ?? (() => Promise.resolve(place)) };
  const requireRoom = (): void => {
    if (options.noRoom === true) throw new AlterError('audit_unavailable');
  };
  return createAgentGrants({ administration, store, recorder: { requireRoom }, app: 'default', selfIssue: options.selfIssue ?? true });
}

async function refusal(call: Partial<AgentCall>, options?: Parameters<typeof answers>[0]): Promise<AlterError> {
  const error: unknown = await answers(options)({ ...CALL, ...call }).catch((cause: unknown) => cause);
  if (error instanceof AlterError) return error;
  throw error;
}

test('what the administration refuses has a code on the wire', async (t) => {
  const expected = {
    not_allowed: 'grant_not_allowed',
    record_invalid: 'grant_request_invalid',
    store_unreachable: 'store_unavailable',
    record_conflict: 'grant_issue_unavailable',
    not_found: 'grant_issue_unavailable',
    record_unreadable: 'internal_error',
    keyring_unreadable: 'internal_error',
  } as const;
  for (const [fails, code] of Object.entries(expected) as [CommandCode, WireCode][]) t.is((await refusal({}, { fails })).code, code, fails);
});

test('only texts about what the agent said itself leave', async (t) => {
  t.is((await refusal({}, { fails: 'not_allowed' })).detail, 'text of not_allowed');
  t.is((await refusal({}, { fails: 'record_invalid' })).detail, 'text of record_invalid');
  for (const fails of ['store_unreachable', 'not_found', 'record_unreadable'] as const)
    t.is((await refusal({}, { fails })).detail, undefined, fails);
});

test('neither the body nor the store is touched for who may not ask', async (t) => {
  const touched = () => Promise.reject(new Error('touched'));
  const take = { take: touched };
  t.is((await refusal({ caller: { type: 'app' }, readBody: touched }, take)).code, 'agent_key_required');
  t.is((await refusal({ caller: { type: 'agent' }, readBody: touched }, take)).code, 'agent_key_required');
  t.is((await refusal({ target: '/v1/grants/', readBody: touched }, take)).code, 'endpoint_not_found');
  t.is((await refusal({ method: 'PATCH', readBody: touched }, take)).code, 'endpoint_method_not_allowed');
  t.is((await refusal({ readBody: touched }, { ...take, selfIssue: false })).code, 'grant_not_allowed');
  t.is((await refusal({ contentType: 'text/plain', readBody: touched })).code, 'content_type_not_supported');
});

test('no place left in the minute, and no store to count in', async (t) => {
  const full = await refusal({}, { take: () => Promise.resolve({ taken: false, used: 121, resetMs: 1500 }) });
  t.is(full.code, 'rate_limited');
  t.is(full.retryAfterS, 2);
  t.is((await refusal({}, { take: () => Promise.reject(new StoreUnavailableError('down')) })).code, 'store_unavailable');
});

test('nothing is issued that could not be recorded', async (t) => {
  t.is((await refusal({}, { noRoom: true })).code, 'audit_unavailable');
  t.is(
    (await refusal({ method: 'GET' }, { noRoom: true, fails: 'store_unreachable' })).code,
    'store_unavailable',
    'a listing is no change',
  );
});
