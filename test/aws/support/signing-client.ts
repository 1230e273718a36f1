import path from 'node:path';
import type { ExecutionContext } from 'ava';
import { endedWell } from './expectations.ts';
import { runClient, type Route } from './route.ts';
import { AWS_TESTS, PYTHON } from './verifying-origin.ts';

/** What `clients/signing_client.py` takes, besides the route. */
export interface Sending {
  readonly host?: string;
  readonly method?: string;
  readonly target?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** How often `body` is sent. */
  readonly repeat?: number;
  readonly service?: string;
  readonly region?: string;
  readonly token?: string;
  readonly payload?: 'hash' | 'unsigned' | 'chunks' | 'chunks-trailer' | 'unsigned-trailer' | 'query' | 'none';
  readonly spoil?: 'key' | 'target' | 'header' | 'body' | 'chunk' | 'chunk-signature' | 'trailer' | 'trailer-signature' | 'short';
  readonly skew_s?: number;
  readonly chunk_bytes?: number;
}

/** What came back. */
export interface Sent {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Sends one request that is signed with the key of the route. */
export async function sendSigned(t: ExecutionContext, route: Route, sending: Sending): Promise<Sent> {
  const spec = {
    host: 'photos.s3.us-east-1.amazonaws.com',
    target: '/raw/a',
    proxy: route.proxyUrl,
    ca: route.caFile,
    access_key: route.accessKey,
    secret_key: route.secretKey,
    ...sending,
  };
  const ran = await runClient(route, PYTHON, [path.join(AWS_TESTS, 'clients/signing_client.py'), JSON.stringify(spec)]);
  endedWell(t, ran);
  return JSON.parse(ran.stdout) as Sent;
}
