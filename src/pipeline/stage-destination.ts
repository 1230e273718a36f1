import { AlterError } from '../errors.ts';
import { originKey } from '../message/authority.ts';
import { CONTINUE, reject } from './stage.ts';
import type { Stage } from './stage.ts';

/** Whether the secret may go where the request goes: no host, no injection (invariant 1). */
export function destinationStage(): Stage {
  return {
    name: 'destination',
    lasts: true,
    run({ resolved, outbound }) {
      if (resolved === undefined || resolved.secret.origins.includes(originKey(outbound.origin))) return CONTINUE;
      return reject(new AlterError('host_not_allowed'));
    },
  };
}
