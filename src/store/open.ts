import type { Config } from '../config/config.ts';
import { CommandError } from '../errors.ts';
import type { Secret } from '../secret/secret.ts';
import type { Store } from './store.ts';

/** What opening a store needs besides its part of the configuration. */
export interface OpenStoreOptions {
  /** Approximate length at which audit streams are trimmed. 0: never. */
  readonly auditMaxStream: number;
  /** Gives the text of the store's own password. This folder may not look into a Secret; who may, hands this over. */
  readonly revealPassword?: ((password: Secret) => string) | undefined;
  /** Told, in one line and once per trouble, why the store cannot be reached. */
  readonly onTrouble?: ((message: string) => void) | undefined;
}

/**
 * Opens the configured store. An embedded store that cannot be used throws CommandError (`store_corrupt`, `store_unreachable`,
 * `file_unwritable`). A Redis that is down throws nothing: calls reject until it is back; `ping` tells. Wrong settings throw
 * `config_invalid` or `file_unreadable`.
 */
export async function openStore(config: Config['store'], options: OpenStoreOptions): Promise<Store> {
  // Each store costs start-up time and memory that the other need not pay.
  switch (config.kind) {
    case 'embedded': {
      const { openEmbeddedStore } = await import('./embedded/embedded-store.ts');
      return openEmbeddedStore(config, options);
    }
    case 'redis': {
      const { openRedisStore } = await import('./redis/redis-store.ts');
      return openRedisStore(config, {
        auditMaxStream: options.auditMaxStream,
        password: passwordText(config.password, options.revealPassword),
        onTrouble: options.onTrouble,
      });
    }
  }
}

function passwordText(password: Secret | undefined, reveal: OpenStoreOptions['revealPassword']): string | undefined {
  if (password === undefined) return undefined;
  if (reveal === undefined) throw new CommandError('internal', 'A Redis password is configured, but nothing was given that may read it.');
  return reveal(password);
}
