import { Option, type Command } from 'commander';
import type { Config } from '../../config/config.ts';
import { CommandError } from '../../errors.ts';
import { createLogger } from '../../log.ts';
import { StoreForbiddenError } from '../../store/store.ts';
import { apiKeyText } from '../../vault/own-credentials.ts';
import { mintKey } from '../../vault/fingerprint.ts';
import { runChild } from '../child.ts';
import { declare, perform, type Runtime } from '../command.ts';
import { printable } from '../printable.ts';
import { buildRunEnvironment } from '../run-environment.ts';
import { dialHost, findRunningProxy, type RunFile } from '../run-file.ts';
import { createRunFolder } from '../run-folder.ts';
import { createRunKey } from '../run-key.ts';
import { openRunLog } from '../run-log.ts';
import type { Session } from '../session.ts';
import { bodyBytesPassed } from '../heap.ts';

interface RunOptions {
  readonly proxyLocalhost?: boolean;
  readonly allowLocalUsers?: boolean;
  readonly logLevel?: Config['log']['level'];
  readonly logFile?: string;
}

/** A proxy for the time of one run. */
interface RunProxy {
  readonly address: { readonly host: string; readonly port: number };
  /** Text of the key for the proxy URL. */
  readonly key: string;
  /** Gives back what the run took: its own proxy, or its key. */
  end(): Promise<void>;
}

/** When the command has ended nobody waits for answers any more. */
const DRAIN_MS = 2_000;

/** Uses the proxy that runs for this home, with a stored key of this run. */
async function joinProxy(session: Session, file: RunFile): Promise<RunProxy> {
  const administration = await session.administration();
  const runKey = await createRunKey({ administration, name: `run ${String(process.pid)} at ${new Date().toISOString()}` });
  return {
    address: { host: dialHost(file.host), port: file.port },
    key: apiKeyText(runKey.key),
    end: async () => {
      // The command has ended with a code of its own, which counts for more than this.
      await runKey.end().catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        session.output.note(`alter-proxy: the key of this run could not be revoked (${printable(reason)}); it expires within 24 hours`);
      });
    },
  };
}

/** Starts a proxy in this process on a free port of loopback, with a key that nobody else has. */
async function startOwnProxy(config: Config, session: Session, options: RunOptions): Promise<RunProxy> {
  if (options.allowLocalUsers === true && config.key === undefined) {
    throw new CommandError('not_allowed', '--allow-local-users needs a key of this proxy, for callers that send none', {
      hint: 'Create one with `alter-proxy key create sidecar --out key` in the home folder and name it as key_file in the configuration.',
    });
  }
  const { key } = mintKey('app');
  const runLog = openRunLog(session.paths.run, options.logFile);
  const own: Config = {
    ...config,
    listen: { host: '127.0.0.1', port: 0, requireKey: options.allowLocalUsers !== true, trustedProxies: [] },
    admin: undefined,
    shutdown: { drainTimeoutMs: Math.min(config.shutdown.drainTimeoutMs, DRAIN_MS) },
  };
  const log = createLogger(options.logLevel ?? (config.log.level === 'info' ? 'warn' : config.log.level), runLog.destination);
  try {
    const { startProxy } = await import('../../app.ts');
    const proxy = await startProxy(own, { log, runKey: key, ownUserNeedsNoKey: true, bodyBytesPassed });
    return {
      address: proxy.address,
      key: apiKeyText(key),
      end: async () => {
        await proxy.stop();
        runLog.close();
      },
    };
  } catch (error) {
    runLog.close();
    throw error;
  }
}

async function findProxy(session: Session, options: RunOptions): Promise<RunProxy> {
  const running = await findRunningProxy(session.paths.run);
  if (running === undefined) return await startOwnProxy(session.readConfig(), session, options);
  if (options.allowLocalUsers === true) {
    throw new CommandError(
      'not_allowed',
      `--allow-local-users cannot be applied to the proxy that runs already (process ${String(running.pid)})`,
      {
        hint: 'Leave it out; whether that proxy asks for a key is set by listen.require_key.',
      },
    );
  }
  try {
    return await joinProxy(session, running);
  } catch (error) {
    // The user of a proxy may not be allowed to write keys. A proxy of its own needs none in the store.
    if (!(error instanceof CommandError && error.cause instanceof StoreForbiddenError)) throw error;
    session.output.note('alter-proxy: the store allows no key for the running proxy, so this run has a proxy of its own');
    return await startOwnProxy(session.readConfig(), session, options);
  }
}

async function run(session: Session, options: RunOptions, args: readonly string[]): Promise<number> {
  const [command, ...commandArgs] = args;
  if (command === undefined)
    throw new CommandError('usage', 'run needs a command', { hint: 'For example: alter-proxy run -- curl https://api.example.com' });
  const folder = createRunFolder(session.paths.run, await session.ca(), session.terminal.env);
  try {
    const proxy = await findProxy(session, options);
    try {
      const env = buildRunEnvironment({
        env: session.terminal.env,
        proxy: proxy.address,
        key: proxy.key,
        trustFiles: folder.trustFiles,
        javaTrustStore: folder.javaTrustStore,
        proxyLocalhost: options.proxyLocalhost === true,
      });
      return await runChild(command, commandArgs, env);
    } finally {
      await proxy.end();
    }
  } finally {
    folder.remove();
  }
}

/** `run`. */
export function addRunCommand(program: Command, runtime: Runtime): void {
  const command = declare(
    program,
    'run',
    'Run a command behind the proxy, and end with its exit code. Starts a proxy of its own when none is running for this home.',
    [
      "alter-proxy run -- curl https://api.openai.com/v1/models -H 'X-Alter-Grant: <grant>'",
      'OPENAI_API_KEY=alter_grant_<grant> alter-proxy run -- python agent.py',
      'alter-proxy run --proxy-localhost -- npm test',
      'alter-proxy run -- java -jar app.jar',
    ],
  )
    .argument('<command...>', 'command and its arguments; write -- before it')
    .passThroughOptions()
    .option('--proxy-localhost', 'send requests for localhost through the proxy, too')
    .option('--allow-local-users', 'ask nobody for a key: every user of this machine can use the proxy during the run')
    .option('--log-file <file>', "file for the proxy's log, or - for stderr (default: run/run.log in the home folder)")
    .addOption(new Option('--log-level <level>', 'what to log').choices(['silent', 'error', 'warn', 'info', 'debug']));
  perform<RunOptions>(command, runtime, run);
}
