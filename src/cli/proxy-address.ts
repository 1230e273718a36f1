/** Where an agent finds its proxy and its key: on a machine that need not have a home, a store or a keyring. */
import { readFileSync } from 'node:fs';
import { CommandError } from '../errors.ts';
import { Secret } from '../secret/secret.ts';
import { fingerprint } from '../vault/fingerprint.ts';
import { fileError } from './report-error.ts';
import { readStdin } from './secret-input.ts';
import type { Terminal } from './terminal.ts';

/** How proxy and key were given. */
export interface ProxyOptions {
  /** Address of the proxy, without a key. */
  readonly proxy?: string;
  /** File with the key; `-`: stdin. */
  readonly keyFile?: string;
}

/** A proxy, and the key with which it is called. */
export interface ProxyAccess {
  /** `http://127.0.0.1:7890`. */
  readonly origin: string;
  readonly key: Secret;
}

const DEFAULT_ORIGIN = 'http://127.0.0.1:7890';
/** In the order in which they count. `run` sets all of them. */
const VARIABLES = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'] as const;

/**
 * The proxy and the key to call: the address from --proxy, else from a proxy variable that holds a key of this proxy, else the default; the key
 * from --key-file, else from ALTER_KEY, else from that variable. A key is never taken from the command line, and never sent to a proxy of
 * somebody else that a variable names. Rejects with CommandError.
 */
export async function findProxyAccess({ proxy, keyFile }: ProxyOptions, terminal: Terminal): Promise<ProxyAccess> {
  const given = proxy === undefined ? undefined : addressOption(proxy);
  const named = VARIABLES.map((name) => parseUrl(terminal.env[name])).find((url) => keyOf(url) !== undefined);
  const origin = given ?? named?.origin ?? DEFAULT_ORIGIN;
  if (keyFile !== undefined) return { origin, key: soundKey(await readKey(keyFile, terminal), '--key-file') };
  const own = terminal.env['ALTER_KEY'];
  if (own !== undefined && own !== '') return { origin, key: soundKey(own.trim(), 'ALTER_KEY') };
  // A key in a variable is meant for the proxy that stands beside it.
  const beside = named?.origin === origin ? keyOf(named) : undefined;
  if (beside !== undefined) return { origin, key: soundKey(beside, 'the proxy URL') };
  throw new CommandError('usage', 'there is no key to call the proxy with', {
    hint: "Put the agent's key into ALTER_KEY, or name a file that holds it with --key-file <file>, - for stdin.",
  });
}

function addressOption(text: string): string {
  const url = parseUrl(text);
  if (url?.protocol !== 'http:' || url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    throw new CommandError('usage', '--proxy is not the address of a proxy', { hint: 'Write it as http://127.0.0.1:7890.' });
  }
  if (url.username !== '' || url.password !== '') {
    throw new CommandError('usage', '--proxy takes no key: other users and the shell history can see the command line', {
      hint: 'Put the key into ALTER_KEY, or name a file that holds it with --key-file <file>.',
    });
  }
  return url.origin;
}

function parseUrl(text: string | undefined): URL | undefined {
  return text !== undefined && URL.canParse(text) ? new URL(text) : undefined;
}

/** The key in the URL of an HTTP proxy, in either place of its user information. */
function keyOf(url: URL | undefined): string | undefined {
  return url?.protocol === 'http:' ? [url.password, url.username].find((text) => text.startsWith('alter_key_')) : undefined;
}

async function readKey(file: string, { stdin }: Terminal): Promise<string> {
  if (file !== '-') {
    try {
      return readFileSync(file, 'utf8').trim();
    } catch (error) {
      throw fileError(error) ?? error;
    }
  }
  // On a terminal, reading stdin would show what is typed.
  if (stdin.isTTY === true) throw new CommandError('usage', '--key-file - reads a pipe or a file, not a terminal');
  return (await readStdin(stdin)).toString('utf8').trim();
}

/** The text may be anything that was put into the wrong place: it is not repeated. */
function soundKey(text: string, where: string): Secret {
  const key = new Secret(text);
  if (fingerprint(key) !== undefined) return key;
  throw new CommandError('usage', `${where} holds no API key of the form alter_key_agent_…`);
}
