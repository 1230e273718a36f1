import { AlterError } from '../errors.ts';
import type { AttachedRule } from '../policy/compile.ts';
import type { Policy } from '../policy/policy.ts';
import type { RateCheck } from '../policy/rule-kind.ts';
import { countedGrant, factsAt, type PolicyFacts } from '../policy/rules.ts';
import type { Exchange } from './exchange.ts';
import type { RequestsUnderWay } from './requests-under-way.ts';
import { CONTINUE, reject } from './stage.ts';
import type { StageAnswer } from './stage.ts';

/** Where requests are counted over all proxies. Rejects when the count is not known. */
export interface CounterSource {
  takeFromCounter(
    app: string,
    take: { readonly name: string; readonly limit: number; readonly windowMs: number },
  ): Promise<{ readonly taken: boolean; readonly used: number; readonly resetMs: number }>;
}

/** What counting needs. */
export interface Counters {
  readonly store: CounterSource;
  readonly underWay: RequestsUnderWay;
}

/** Concurrency ends with some other request; nobody knows when. */
const RETRY_CONCURRENCY_S = 1;

/**
 * Takes the counters of a policy, in order, until one has nothing left. What was taken from windows until then stays taken; places among the
 * requests under way are given back when the exchange ends, and so when it is refused. Rejects with AlterError `store_unavailable` when the store cannot count.
 */
export async function takeCounters(exchange: Exchange, facts: PolicyFacts, policy: Policy, counters: Counters): Promise<StageAnswer> {
  const limits: RateLimit[] = [];
  for (const rule of policy.counters) {
    const refusal =
      rule.check?.type === 'rate'
        ? await takeRate(rule, rule.check, facts, counters.store, limits)
        : takeConcurrency(exchange, rule, facts, counters.underWay);
    if (refusal === undefined) continue;
    if (rule.warn) exchange.warnings = [...exchange.warnings, rule.label];
    else {
      exchange.refusedBy = rule.label;
      return reject(refusal);
    }
  }
  if (limits.length > 0) exchange.answerHeaders = rateLimitHeaders(limits);
  return CONTINUE;
}

/** A window as the client is told of it. */
interface RateLimit {
  readonly label: string;
  readonly limit: number;
  readonly windowMs: number;
  readonly left: number;
  readonly resetMs: number;
}

async function takeRate(
  rule: AttachedRule,
  check: RateCheck,
  facts: PolicyFacts,
  store: CounterSource,
  limits: RateLimit[],
): Promise<AlterError | undefined> {
  const { limit, windowMs } = check;
  let state: Awaited<ReturnType<CounterSource['takeFromCounter']>>;
  try {
    state = await store.takeFromCounter(facts.app, {
      name: counterName(rule, check.counter(factsAt(rule.at, facts)), facts),
      limit,
      windowMs,
    });
  } catch (cause) {
    return new AlterError('store_unavailable', { rule: rule.name, cause });
  }
  if (!rule.warn) limits.push({ label: rule.label, limit, windowMs, left: Math.max(0, limit - state.used), resetMs: state.resetMs });
  if (state.taken) return undefined;
  return new AlterError('rate_limited', { rule: rule.name, retryAfterS: seconds(state.resetMs), headers: rateLimitHeaders(limits) });
}

function takeConcurrency(exchange: Exchange, rule: AttachedRule, facts: PolicyFacts, underWay: RequestsUnderWay): AlterError | undefined {
  if (rule.check?.type !== 'concurrency') return undefined;
  const release = underWay.take(`${facts.app}:${counterName(rule, countedGrant(factsAt(rule.at, facts)), facts)}`, rule.check.max);
  if (release === undefined) return new AlterError('rate_limited', { rule: rule.name, retryAfterS: RETRY_CONCURRENCY_S });
  const before = exchange.release;
  exchange.release = () => {
    before?.();
    release();
  };
  return undefined;
}

/** `secret:ms_…:rate:minute:100:grant:<uuid>`: rules at different places never count together. */
function counterName(rule: AttachedRule, counter: string, facts: PolicyFacts): string {
  // The source of a delegation is a grant, with one counter for its own requests and those of its delegations.
  const place = rule.at === 'source' ? 'grant' : rule.at;
  return `${place}:${attachedTo(rule, factsAt(rule.at, facts))}:${rule.counterName}:${counter}`;
}

function attachedTo({ at }: AttachedRule, { grant, agent }: PolicyFacts): string {
  switch (at) {
    case 'app':
      return '';
    case 'provider':
      return grant.provider;
    case 'secret':
      return grant.secretId;
    case 'agent':
      return agent ?? '';
    case 'source':
    case 'grant':
      return grant.id;
  }
}

/** draft-ietf-httpapi-ratelimit-headers-10: lists of structured strings with parameters. */
function rateLimitHeaders(limits: readonly RateLimit[]): readonly string[] {
  const policies = limits.map(({ label, limit, windowMs }) => `"${label}";q=${String(limit)};w=${String(windowMs / 1000)}`);
  const states = limits.map(({ label, left, resetMs }) => `"${label}";r=${String(left)};t=${String(seconds(resetMs))}`);
  return ['RateLimit-Policy', policies.join(', '), 'RateLimit', states.join(', ')];
}

function seconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000));
}
