import { authorizePrincipal } from '../principals/authorize.ts';
import { CONTINUE } from './stage.ts';
import type { Stage } from './stage.ts';

/** Whether the caller is the principal of the grant. */
export function principalStage(): Stage {
  return {
    name: 'principal',
    lasts: true,
    run({ resolved, caller }) {
      if (resolved !== undefined) authorizePrincipal(resolved.grant, caller);
      return CONTINUE;
    },
  };
}
