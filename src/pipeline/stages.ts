import type { HeldGrantSource } from './find-held.ts';
import { destinationStage } from './stage-destination.ts';
import { grantStage } from './stage-grant.ts';
import { injectStage } from './stage-inject.ts';
import { policyStage } from './stage-policy.ts';
import { principalStage } from './stage-principal.ts';
import type { UserSource } from './stage-principal.ts';
import type { Stage } from './stage.ts';
import type { Counters } from './take-counters.ts';

/** What the stages are built from. */
export interface StageServices {
  readonly grants: HeldGrantSource;
  readonly users: UserSource;
  readonly defaultGrants: Readonly<Record<string, string>>;
  readonly ungranted: 'forward' | 'deny';
  /** `agents.need_delegation`. */
  readonly needDelegation: boolean;
  readonly counters: Counters;
  readonly now: () => number;
}

/** The order in which a request is judged. It stands here and nowhere else. */
export function createStages(services: StageServices): readonly Stage[] {
  const { now, counters } = services;
  return [grantStage(services), principalStage(services), destinationStage(), policyStage(now, counters), injectStage()];
}

/**
 * For a test call of the operator, who has named the secret: there is no grant, no principal, and no rule to pass, because rules say what
 * callers may do. Where a secret may go holds for everybody.
 */
export function createTestStages(): readonly Stage[] {
  return [destinationStage(), injectStage()];
}
