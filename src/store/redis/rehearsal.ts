import { StoreForbiddenError, StoreUnavailableError, type StoreFault, type StoreWork } from '../store.ts';
import type { RedisConnection } from './connection.ts';
import { reasonOf } from './failure.ts';
import type { RedisKeys } from './keys.ts';

/** What no record is called, and what is neither an id of a stream entry nor a number. */
const NOBODY = '-';

type Command = readonly [name: string, ...args: string[]];

/** What of the work of a proxy Redis would not do now, without changing anything. Of several missing rights each is told. */
export async function rehearse(connection: RedisConnection, keys: RedisKeys, app: string): Promise<readonly StoreFault[]> {
  const faults: StoreFault[] = [];
  for (const [work, command] of commandsOf(keys, app)) {
    try {
      await connection.call((client) => refusedForItself(client.call(...command)));
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      faults.push({ work, error });
      // What is wrong with the whole server would only be said again.
      if (!(error instanceof StoreForbiddenError)) break;
    }
  }
  return faults;
}

/**
 * Commands that change nothing: one that writes has an argument that cannot be. Redis says so only after it has found that the command may be
 * run: by the ACL, with this memory, on this server.
 */
function commandsOf(keys: RedisKeys, app: string): readonly (readonly [StoreWork, Command])[] {
  const grant = keys.record({ kind: 'grant', app, id: NOBODY });
  const counter = keys.counter(app, `agent-grants:${NOBODY}`);
  return [
    ['records', ['GET', grant]],
    ['records', ['GET', keys.record({ kind: 'key', id: NOBODY })]],
    ['records', ['ZRANGEBYLEX', keys.index(app, 'idp'), '-', '+', 'LIMIT', '0', '0']],
    ['audit', ['XADD', keys.audit(app), NOBODY, 'e', NOBODY]],
    ['cache', ['CLIENT', 'ID']],
    ['cache', ['CLIENT', 'TRACKING', NOBODY]],
    ['uses', ['HINCRBY', keys.uses(app), NOBODY, NOBODY]],
    ['uses', ['HMGET', keys.uses(app), NOBODY]],
    ['grants', ['SET', grant, NOBODY, 'PX', NOBODY]],
    ['grants', ['ZADD', keys.index(app, 'grant'), NOBODY, NOBODY]],
    ['grants', ['SET', counter, NOBODY, 'PX', NOBODY]],
    ['grants', ['PTTL', counter]],
  ];
}

/** Resolves when the command may be run, however it ended. */
async function refusedForItself(reply: Promise<unknown>): Promise<void> {
  try {
    await reply;
  } catch (error) {
    if (!/^(ERR (?!unknown command)|WRONGTYPE )/i.test(reasonOf(error))) throw error;
  }
}
