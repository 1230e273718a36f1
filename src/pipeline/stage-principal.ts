import { authorizePrincipal } from '../principals/authorize.ts';
import { CONTINUE } from './stage.ts';
import type { Stage } from './stage.ts';

/** Whether the caller is the principal of the grant; of a delegation, also whether the principal of its source still stands. */
export function principalStage(): Stage {
  return {
    name: 'principal',
    run({ resolved, caller }) {
      if (resolved === undefined) return CONTINUE;
      authorizePrincipal(resolved.grant, caller);
      if (resolved.source !== undefined) authorizePrincipal(resolved.source, caller);
      return CONTINUE;
    },
  };
}
