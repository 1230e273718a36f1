import { generateKeyPairSync } from 'node:crypto';
import type { AlterError } from '../../src/errors.ts';
import type { PreparedInjection } from '../../src/inject/injector.ts';
import { prepareOnline, type CredentialOwner, type DerivationOptions, type Prepare } from '../../src/inject/prepare.ts';
import type { TokenAnswer, TokenRequest } from '../../src/inject/derived/token.ts';
import { HeaderList } from '../../src/message/header-list.ts';
import type { Derivation } from '../../src/providers/derivation.ts';
import type { InjectionRule, ProviderTemplate } from '../../src/providers/template.ts';
import { Secret } from '../../src/secret/secret.ts';
import { lines } from './headers.ts';
import { draft } from './injection.ts';

/** Values that must turn up nowhere but in requests to a token endpoint. */
export const CLIENT_SECRET = 'cs_NeverShowThisClientSecret_1717';
export const REFRESH_TOKEN = 'rt_NeverShowThisRefreshToken_1818';

/** An RSA key as PEM, PKCS#8 and PKCS#1, with the public key that verifies what it signs. */
export function rsaPair(modulusLength = 2048) {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength });
  return {
    publicKey,
    pkcs8: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    pkcs1: privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
  };
}

/** A provider whose credential is derived; every field is a secret unless listed in `more`. */
export function derivedTemplate(
  derive: Derivation,
  names: readonly string[],
  more: Partial<ProviderTemplate> = {},
  inject: readonly InjectionRule[] = [{ kind: 'bearer', format: '{access_token}' }],
): ProviderTemplate {
  const fields = Object.fromEntries(names.map((name) => [name, { label: name, secret: true }]));
  return {
    slug: 'derived',
    name: 'Derived',
    category: 'test',
    hosts: ['localhost'],
    inject,
    confidence: 'high',
    derive,
    ...more,
    fields: { ...fields, ...more.fields },
  };
}

/** Client credentials at `tokenUrl`. */
export function clientCredentialsTemplate(tokenUrl: string, more: Partial<Derivation> = {}): ProviderTemplate {
  const derive = {
    kind: 'oauth2_client_credentials',
    tokenUrl,
    clientId: '{client_id}',
    clientSecret: '{client_secret}',
    ...more,
  } as Derivation;
  return derivedTemplate(derive, ['client_secret'], { fields: { client_id: { label: 'Client id', secret: false } } });
}

/** A refresh token at `tokenUrl`. */
export function refreshTokenTemplate(tokenUrl: string): ProviderTemplate {
  const client = { clientId: '{client_id}', clientSecret: '{client_secret}' };
  const derive: Derivation = { kind: 'oauth2_refresh_token', tokenUrl, ...client, refreshToken: '{refresh_token}' };
  return derivedTemplate(derive, ['client_secret', 'refresh_token'], { fields: { client_id: { label: 'Client id', secret: false } } });
}

/** Texts as secrets. */
export function secrets(values: Readonly<Record<string, string>>): Readonly<Record<string, Secret>> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, new Secret(value)]));
}

/** An answer as a token endpoint gives it. */
export function jsonAnswer(document: unknown, status = 200, headers: readonly string[] = []): TokenAnswer {
  return { status, headers: new HeaderList(['Content-Type', 'application/json', ...headers]), body: JSON.stringify(document) };
}

/** A token endpoint in memory, with a clock of its own. Its n-th answer holds `token-n`, good for an hour. */
export class FakeEndpoint {
  readonly requests: TokenRequest[] = [];
  readonly failures: AlterError[] = [];
  now = 1_790_000_000_000;
  random = 0;
  expiresIn: unknown = 3600;
  answer: (count: number) => TokenAnswer | Promise<TokenAnswer> = (count) =>
    jsonAnswer({ access_token: `token-${String(count)}`, token_type: 'Bearer', expires_in: this.expiresIn });

  readonly owner: CredentialOwner = { app: 'default', id: 'ms_1', lineage: '1.1' };

  prepare(options: Partial<DerivationOptions> = {}): Prepare {
    return prepareOnline({
      exchange: async (request) => {
        this.requests.push(request);
        return this.answer(this.requests.length);
      },
      renew: async (_owner, _field, work) => {
        await work(new Secret(REFRESH_TOKEN));
      },
      failed: (_owner, error) => this.failures.push(error),
      maxEntries: 10,
      now: () => this.now,
      random: () => this.random,
      ...options,
    });
  }

  /** The injection of client credentials. */
  clientCredentials(): PreparedInjection {
    const values = secrets({ client_id: 'me', client_secret: CLIENT_SECRET });
    return this.prepare()(clientCredentialsTemplate('https://auth.example.com/token'), values, this.owner);
  }
}

/** The headers with which a request leaves, or the code and rule of the refusal. */
export async function sentBy(injection: PreparedInjection): Promise<string> {
  const request = draft('/');
  try {
    await injection.apply(request);
    return lines(request.headers).join('|');
  } catch (error) {
    const { code, rule } = error as AlterError;
    return `${code}:${rule ?? ''}`;
  }
}
