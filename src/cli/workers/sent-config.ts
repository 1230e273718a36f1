import type { Config } from '../../config/config.ts';
import { deepFreeze } from '../../config/deep-freeze.ts';
import { comparableSecret } from '../../config/secret-text.ts';
import type { Secret } from '../../secret/secret.ts';
import { ownKeyText, storePasswordText } from '../../vault/own-credentials.ts';

/** A configuration as plain JSON, for the channel between two processes of one proxy and for nothing else: it holds credentials. */
export interface SentConfig {
  /** Everything but the two credentials. */
  readonly settings: Config;
  readonly key: string | undefined;
  readonly storePassword: string | undefined;
}

/** Makes a configuration ready to be sent. */
export function sendConfig(config: Config): SentConfig {
  const { key, store } = config;
  const password = store.kind === 'redis' ? store.password : undefined;
  return {
    settings: withCredentials(config, undefined, undefined),
    key: key === undefined ? undefined : ownKeyText(key),
    storePassword: password === undefined ? undefined : storePasswordText(password),
  };
}

/** The configuration that was sent, frozen. */
export function receiveConfig({ settings, key, storePassword }: SentConfig): Config {
  return deepFreeze(withCredentials(settings, secretOf(key), secretOf(storePassword)));
}

function withCredentials(config: Config, key: Secret | undefined, password: Secret | undefined): Config {
  const { store } = config;
  return { ...config, key, store: store.kind === 'redis' ? { ...store, password } : store };
}

function secretOf(text: string | undefined): Secret | undefined {
  return text === undefined ? undefined : comparableSecret(text);
}
