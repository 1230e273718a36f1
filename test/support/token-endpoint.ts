import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';
import type { TestAuthority } from './certificates.ts';
import { CLIENT_SECRET } from './derived.ts';
import { makeSigningKey } from './idp-keys.ts';

/** A request to a token endpoint, with its body. */
export interface TokenCall {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A token endpoint that answers as a test says. */
export interface TokenEndpoint {
  /** `https://localhost:<port>`. */
  readonly url: string;
  readonly calls: readonly TokenCall[];
  stop(): Promise<void>;
}

/** Starts one over TLS. */
export async function startTokenEndpoint(
  authority: TestAuthority,
  answer: (call: TokenCall, response: ServerResponse) => void | Promise<void>,
): Promise<TokenEndpoint> {
  const calls: TokenCall[] = [];
  const server = createServer(authority.issue(['localhost', '127.0.0.1']), (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const call = { method, url, headers, body: Buffer.concat(chunks).toString() };
      calls.push(call);
      void answer(call, response);
    });
  });
  return { url: await listening(server), calls, stop: () => stopped(server) };
}

/** A certified authorization server that gives tokens and says which of them it gave. */
export interface AuthorizationServer {
  readonly url: string;
  /** Requests of its token endpoint. */
  readonly tokenCalls: () => number;
  /** A refresh token of the client `app` for alice. It is good once, and whoever sends it twice ends the whole line. */
  refreshToken(): Promise<string>;
  /** Whether `authorization` is a bearer token that is good now. */
  accepts(authorization: string | undefined): Promise<boolean>;
  stop(): Promise<void>;
}

/** Starts oidc-provider over TLS, with the clients `robot` and `app`, whose secret is {@link CLIENT_SECRET}. */
export async function startAuthorizationServer(authority: TestAuthority, lifeS = 300): Promise<AuthorizationServer> {
  const server = createServer(authority.issue(['localhost']));
  const url = await listening(server);
  const client = { client_secret: CLIENT_SECRET, redirect_uris: [], response_types: [] };
  const signing = await makeSigningKey('oidc', 'RS256');
  const provider = new Provider(url, {
    clients: [
      { ...client, client_id: 'robot', grant_types: ['client_credentials'] },
      {
        ...client,
        client_id: 'app',
        grant_types: ['refresh_token', 'authorization_code'],
        redirect_uris: [`${url}/cb`],
        response_types: ['code'],
      },
    ],
    jwks: { keys: [signing.privateJwk] },
    scopes: ['openid', 'offline_access', 'read'],
    findAccount: (_context: unknown, sub: string) => ({ accountId: sub, claims: () => ({ sub }) }),
    rotateRefreshToken: true,
    ttl: { AccessToken: lifeS, ClientCredentials: lifeS, RefreshToken: 3600, Grant: 3600 },
    features: { devInteractions: { enabled: false }, clientCredentials: { enabled: true } },
  });
  let tokenCalls = 0;
  const serve = provider.callback();
  server.on('request', (request, response) => {
    if (request.url === '/token') tokenCalls += 1;
    serve(request, response);
  });
  return {
    url,
    tokenCalls: () => tokenCalls,
    refreshToken: async () => {
      const grant = new provider.Grant({ accountId: 'alice', clientId: 'app' });
      grant.addOIDCScope('openid offline_access read');
      const properties = {
        accountId: 'alice',
        grantId: await grant.save(),
        scope: 'openid offline_access read',
        gty: 'authorization_code',
      };
      return new provider.RefreshToken({ ...properties, client: await provider.Client.find('app'), expiresWithSession: false }).save();
    },
    accepts: async (authorization) => {
      const token = /^Bearer (\S+)$/.exec(authorization ?? '')?.[1] ?? '';
      const found = (await provider.AccessToken.find(token)) ?? (await provider.ClientCredentials.find(token));
      return found !== undefined;
    },
    stop: () => stopped(server),
  };
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return `https://localhost:${String((server.address() as AddressInfo).port)}`;
}

async function stopped(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
