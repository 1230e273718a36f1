import type { HeldGrantSource } from './find-held.ts';
import { destinationStage } from './stage-destination.ts';
import { grantStage } from './stage-grant.ts';
import { injectStage } from './stage-inject.ts';
import { policyStage } from './stage-policy.ts';
import { principalStage } from './stage-principal.ts';
import type { UserSource } from './stage-principal.ts';
import type { Stage } from './stage.ts';

/** What the stages are built from. */
export interface StageServices {
  readonly grants: HeldGrantSource;
  readonly users: UserSource;
  readonly defaultGrants: Readonly<Record<string, string>>;
  readonly ungranted: 'forward' | 'deny';
  readonly now: () => number;
}

/** The order in which a request is judged. It stands here and nowhere else. */
export function createStages(services: StageServices): readonly Stage[] {
  return [grantStage(services), principalStage(services.users), destinationStage(), policyStage(services.now), injectStage()];
}
