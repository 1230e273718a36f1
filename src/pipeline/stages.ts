import { destinationStage } from './stage-destination.ts';
import { grantStage } from './stage-grant.ts';
import type { GrantSource } from './stage-grant.ts';
import { injectStage } from './stage-inject.ts';
import { policyStage } from './stage-policy.ts';
import { principalStage } from './stage-principal.ts';
import type { Stage } from './stage.ts';
import type { Counters } from './take-counters.ts';

/** What the stages are built from. */
export interface StageServices {
  readonly grants: GrantSource;
  readonly defaultGrants: Readonly<Record<string, string>>;
  readonly ungranted: 'forward' | 'deny';
  readonly counters: Counters;
  readonly now: () => number;
}

/** The order in which a request is judged. It stands here and nowhere else. */
export function createStages(services: StageServices): readonly Stage[] {
  return [grantStage(services), principalStage(), destinationStage(), policyStage(services.now, services.counters), injectStage()];
}
