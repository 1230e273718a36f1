import { authorizePrincipal } from '../principals/authorize.ts';
import type { Exchange } from './exchange.ts';
import { CONTINUE } from './stage.ts';
import type { Stage, StageAnswer } from './stage.ts';

/** Whether the caller is the principal of the grant. */
export function principalStage(): Stage {
  const judge = ({ resolved, caller }: Exchange): StageAnswer => {
    if (resolved !== undefined) authorizePrincipal(resolved.grant, caller);
    return CONTINUE;
  };
  return { name: 'principal', run: judge, stands: judge };
}
