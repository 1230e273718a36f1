import { aws } from './kinds/aws.ts';
import { cel } from './kinds/cel.ts';
import { concurrency } from './kinds/concurrency.ts';
import { ip } from './kinds/ip.ts';
import { methods } from './kinds/methods.ts';
import { query } from './kinds/query.ts';
import { rate } from './kinds/rate.ts';
import { requireContext } from './kinds/require-context.ts';
import { requireReason } from './kinds/require-reason.ts';
import { time } from './kinds/time.ts';
import { ttl } from './kinds/ttl.ts';
import { url } from './kinds/url.ts';
import type { RuleKind } from './rule-kind.ts';

const KINDS: ReadonlyMap<string, RuleKind> = new Map(
  [time, ip, ttl, methods, url, query, rate, concurrency, cel, aws, requireReason, requireContext].map((kind) => [kind.kind, kind]),
);

/** The kind of this name, or undefined. */
export function ruleKind(name: string): RuleKind | undefined {
  return KINDS.get(name);
}

/** Names of all kinds. */
export function ruleKindNames(): readonly string[] {
  return [...KINDS.keys()];
}
