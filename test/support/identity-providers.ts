import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OAuth2Server } from 'oauth2-mock-server';
import Provider from 'oidc-provider';
import type { TestAuthority } from './certificates.ts';
import { makeSigningKey } from './idp-keys.ts';

/** Audience of the tokens, unless a test says otherwise. */
export const AUDIENCE = 'my-app';

/** An identity provider that signs whatever a test asks for. */
export interface MockIdp {
  /** `https://localhost:<port>`. */
  readonly issuer: string;
  readonly publicKeys: () => readonly Readonly<Record<string, unknown>>[];
  /** A token for `alice` in no group, with `claims` merged over. */
  token(claims?: Readonly<Record<string, unknown>>, kid?: string): Promise<string>;
  /** Publishes one more key. */
  addKey(kid: string): Promise<void>;
  stop(): Promise<void>;
  /** Listens again, where it listened before. */
  restart(): Promise<void>;
}

/** Starts oauth2-mock-server over TLS. */
export async function startMockIdp(authority: TestAuthority): Promise<MockIdp> {
  const folder = mkdtempSync(join(tmpdir(), 'alter-idp-'));
  const { key, cert } = authority.issue(['localhost']);
  writeFileSync(join(folder, 'key.pem'), key);
  writeFileSync(join(folder, 'cert.pem'), cert);
  const server = new OAuth2Server(join(folder, 'key.pem'), join(folder, 'cert.pem'));
  rmSync(folder, { recursive: true });
  await server.issuer.keys.generate('RS256', { kid: 'first' });
  await server.start(0, 'localhost');
  const { port } = server.address();
  const issuer = server.issuer.url ?? '';
  return {
    issuer,
    publicKeys: () => server.issuer.keys.toJSON(),
    token: (claims = {}, kid = 'first') =>
      server.issuer.buildToken({
        kid,
        scopesOrTransform: (_header, payload) => {
          Object.assign(payload, { sub: 'alice', aud: AUDIENCE, ...claims });
        },
      }),
    addKey: async (kid) => {
      await server.issuer.keys.generate('RS256', { kid });
    },
    stop: async () => {
      if (server.listening) await server.stop();
    },
    restart: () => server.start(port, 'localhost'),
  };
}

/** A certified OpenID Connect server, where a machine client gets its tokens as it would in production. */
export interface RealIdp {
  readonly issuer: string;
  /** Access token (RFC 9068) of the client `robot`, a member of `groups`. */
  token(groups: readonly string[]): Promise<string>;
  stop(): Promise<void>;
}

/** Starts oidc-provider over TLS. */
export async function startRealIdp(authority: TestAuthority): Promise<RealIdp> {
  const server = createServer(authority.issue(['localhost']));
  await new Promise<void>((resolve) => {
    server.listen(0, 'localhost', resolve);
  });
  const issuer = `https://localhost:${String((server.address() as AddressInfo).port)}`;
  let groups: readonly string[] = [];
  const signing = await makeSigningKey('oidc', 'RS256');
  const provider = new Provider(issuer, {
    clients: [
      { client_id: 'robot', client_secret: 'robot-secret', grant_types: ['client_credentials'], redirect_uris: [], response_types: [] },
    ],
    jwks: { keys: [signing.privateJwk] },
    extraTokenClaims: () => ({ groups }),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({ scope: '', audience: AUDIENCE, accessTokenFormat: 'jwt', accessTokenTTL: 300 }),
      },
    },
  });
  server.on('request', provider.callback());
  return {
    issuer,
    token: async (wanted) => {
      groups = wanted;
      return accessToken(issuer, authority.caPem);
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function accessToken(issuer: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const asking = request(`${issuer}/token`, { method: 'POST', auth: 'robot:robot-secret', ca, headers, agent: false }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.once('end', () => {
        const document = JSON.parse(Buffer.concat(chunks).toString()) as { readonly access_token?: string };
        if (document.access_token === undefined) reject(new Error(JSON.stringify(document)));
        else resolve(document.access_token);
      });
    });
    asking.once('error', reject);
    asking.end(`grant_type=client_credentials&resource=${encodeURIComponent('https://api.test')}`);
  });
}
