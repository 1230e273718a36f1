import type { Command } from 'commander';
import { CommandError } from '../../errors.ts';
import { postToProxy } from '../call-proxy.ts';
import { declare, perform, type Runtime } from '../command.ts';
import { formatInstant } from '../duration.ts';
import { addLifeOptions, lifeOption, type LifeOptions } from '../grant-options.ts';
import { shortOrigins } from '../origin-text.ts';
import { findProxyAccess, type ProxyOptions } from '../proxy-address.ts';
import type { Session } from '../session.ts';

interface RequestOptions extends ProxyOptions, LifeOptions {
  readonly secret: string;
  readonly label: string;
}

/** A grant as the proxy answers it. */
interface ProxyGrant {
  readonly id: string;
  readonly label: string;
  readonly secret: string | null;
  readonly provider: string | null;
  readonly hosts: readonly string[];
  readonly status: string;
  readonly expires_at: string | null;
}

async function requestGrant(session: Session, options: RequestOptions): Promise<number> {
  const { secret, label, ttl, expiresAt } = options;
  // What is wrong with it is said here, in the words of the options.
  lifeOption(options);
  const access = await findProxyAccess(options, session.terminal);
  const asked = { secret, label, ...(ttl === undefined ? {} : { ttl }), ...(expiresAt === undefined ? {} : { expires_at: expiresAt }) };
  const answer = await postToProxy(access, '/v1/grants', asked);
  if (!isGrant(answer)) throw new CommandError('proxy_unreachable', `what the proxy at ${access.origin} answers is not a grant`);
  const { id, hosts, status, provider, expires_at: until } = answer;
  session.output.result(
    { id, label: answer.label, secretName: answer.secret, provider, origins: hosts, status, expiresAt: until },
    () => id,
  );
  const validity = until === null ? 'valid until it is revoked' : `expires ${formatInstant(Date.parse(until), Date.now())}`;
  session.output.note(`Grant for ${shortOrigins(hosts)}; ${validity}.`);
  return 0;
}

function isGrant(value: unknown): value is ProxyGrant {
  if (typeof value !== 'object' || value === null) return false;
  const { id, hosts, expires_at: until } = value as Record<string, unknown>;
  const listed = Array.isArray(hosts) && hosts.every((host) => typeof host === 'string');
  return typeof id === 'string' && /^[0-9a-f-]{36}$/.test(id) && listed && (until === null || typeof until === 'string');
}

/** `grant request`: for agents, which have a key and nothing else. */
export function addGrantRequest(group: Command, runtime: Runtime): void {
  const command = declare(
    group,
    'request',
    'Ask the proxy, as an agent, for a grant on a secret that the agent was allowed, and print its id. The same label is the same grant.',
    [
      "GRANT=$(alter-proxy grant request --secret stripe --label 'nightly report' --ttl 1h)",
      'alter-proxy grant request --secret stripe --label nightly --proxy http://proxy.internal:8080 --key-file /run/secrets/agent-key',
    ],
  )
    .requiredOption('-s, --secret <name-or-id>', 'secret that the grant opens')
    .requiredOption('-l, --label <text>', 'what the grant is for');
  addLifeOptions(command, 'as long as the secret allows')
    .option('--proxy <url>', 'address of the proxy, without a key (default: from HTTPS_PROXY when it holds one, or http://127.0.0.1:7890)')
    .option('--key-file <file>', "file with the agent's key, or - for stdin (default: ALTER_KEY, or the key in HTTPS_PROXY)");
  perform<RequestOptions>(command, runtime, requestGrant);
}
