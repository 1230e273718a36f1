import { AlterError } from '../errors.ts';
import { originKey } from '../message/authority.ts';
import type { Exchange } from './exchange.ts';
import { CONTINUE, reject } from './stage.ts';
import type { Stage, StageAnswer } from './stage.ts';

/** Whether the secret may go where the request goes: no host, no injection (invariant 1). */
export function destinationStage(): Stage {
  const judge = ({ resolved, outbound }: Exchange): StageAnswer => {
    if (resolved === undefined || resolved.secret.origins.includes(originKey(outbound.origin))) return CONTINUE;
    return reject(new AlterError('host_not_allowed'));
  };
  return { name: 'destination', run: judge, stands: judge };
}
