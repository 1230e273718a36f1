import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { RedisConnection } from './connection.ts';
import { reasonOf } from './failure.ts';

/** The ACL, or the operator who renamed the commands, forbids scripts. An ACL error about the key, or from within the script, is another one. */
const NO_SCRIPTS = /^NOPERM .*'eval(sha)?'|^ERR unknown command .?eval/i;

/** A Lua script that touches one key, or several of one Cluster slot. It is called by its SHA-1; only a server that does not know it yet is sent the text. */
export class ServerScript {
  readonly #connection: RedisConnection;
  readonly #text: string;
  readonly #sha1: string;
  readonly #forbidden: RegExp;
  readonly #commands: readonly string[];
  /** Number of the connection on which scripts are known to be forbidden. */
  #forbiddenOn: number | undefined;

  /** `forbidden` matches the errors that mean that scripts are forbidden; unless told, those of a server that forbids every script. */
  constructor(connection: RedisConnection, text: string, forbidden = NO_SCRIPTS) {
    this.#connection = connection;
    this.#text = text;
    this.#sha1 = createHash('sha1').update(text).digest('hex');
    this.#forbidden = forbidden;
    this.#commands = [...new Set([...text.matchAll(/redis\.call\('([A-Z]+)'/g)].map(([, name = '']) => name))];
  }

  /**
   * Runs the script on `keys` and resolves with its reply, or with undefined where scripts are forbidden. That is remembered for as
   * long as the connection lives: the next one may have other rights. Rejects with StoreUnavailableError when the script did not end well.
   */
  async run(keys: readonly string[], args: readonly string[]): Promise<unknown> {
    const { life } = this.#connection;
    if (this.#forbiddenOn === life) return undefined;
    const call = (send: (client: Redis) => Promise<unknown>): Promise<unknown> =>
      this.#connection.call((client) => this.#replyOf(send(client)), this.#commands);
    const byName = await call((client) => client.evalsha(this.#sha1, keys.length, ...keys, ...args));
    const reply = byName === 'unknown' ? await call((client) => client.eval(this.#text, keys.length, ...keys, ...args)) : byName;
    if (reply !== 'forbidden') return reply;
    this.#forbiddenOn = life;
    return undefined;
  }

  /** What the script returned, or why it did not run. */
  async #replyOf(reply: Promise<unknown>): Promise<unknown> {
    try {
      return await reply;
    } catch (error) {
      if (this.#forbidden.test(reasonOf(error))) return 'forbidden';
      if (reasonOf(error).startsWith('NOSCRIPT')) return 'unknown';
      throw error;
    }
  }
}
