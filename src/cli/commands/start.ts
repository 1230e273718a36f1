import { Option, type Command } from 'commander';
import type { RunningProxy } from '../../app.ts';
import type { Config } from '../../config/config.ts';
import type { ConfigFlags } from '../../config/load.ts';
import { CommandError } from '../../errors.ts';
import { createLogger, type Logger } from '../../log.ts';
import { declare, perform, type Runtime } from '../command.ts';
import { findRunningProxy, removeRunFile, writeRunFile, type RunFile } from '../run-file.ts';
import type { Session } from '../session.ts';
import { untilSignal } from '../until-signal.ts';
import { bodyBytesPassed } from '../heap.ts';

interface StartOptions {
  readonly host?: string;
  readonly port?: string;
  readonly store?: string;
  readonly logLevel?: string;
  readonly requireKey?: boolean;
  readonly admin?: boolean;
  readonly adminHost?: string;
  readonly adminPort?: string;
  readonly workers?: string;
}

function flagsOf(options: StartOptions): ConfigFlags {
  const { host, port, store, logLevel, requireKey, adminHost, adminPort, workers } = options;
  return { host, port, store, logLevel, requireKey, adminHost, adminPort, workers, admin: options.admin === false ? false : undefined };
}

function origin(address: { readonly host: string; readonly port: number }): string {
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `http://${host}:${String(address.port)}`;
}

function announce(session: Session, proxy: RunningProxy): void {
  const { terminal, output } = session;
  if (terminal.stdout.isTTY !== true || output.json) return;
  const health = proxy.adminAddress === undefined ? '' : `, health on ${origin(proxy.adminAddress)}/readyz`;
  output.line(`alter-proxy listens on ${origin(proxy.address)}${health}; stop with Ctrl-C`);
}

/** What SIGHUP does to a proxy. */
interface Reloading {
  /** Reloads from now on, and at once when there was a signal before. */
  follow(proxy: RunningProxy): void;
  /** Gives the signal back its usual effect. */
  release(): void;
}

/** SIGHUP reads the configuration again; one that comes before there is a proxy waits for it. What came of it is in the log. */
function reloadOnHangup(): Reloading {
  let running: RunningProxy | undefined;
  let waiting = false;
  const reload = () => {
    if (running === undefined) waiting = true;
    else void running.reload();
  };
  process.on('SIGHUP', reload);
  return {
    follow: (proxy) => {
      running = proxy;
      if (waiting) reload();
    },
    release: () => process.off('SIGHUP', reload),
  };
}

/** Says so when what holds the port is the proxy of this very home. */
async function explain(error: unknown, runDir: string): Promise<unknown> {
  if (!(error instanceof CommandError) || error.code !== 'port_in_use') return error;
  const running = await findRunningProxy(runDir);
  if (running === undefined) return error;
  const where = origin(running);
  return new CommandError('port_in_use', `the proxy of this home runs already on ${where} (process ${String(running.pid)})`, {
    cause: error,
    hint: `Use that one, or stop it first with: kill ${String(running.pid)}`,
  });
}

/** Starts one process, or several. The proxy itself is loaded only by the commands that start one: the others answer sooner. */
async function open(config: Config, flags: ConfigFlags, session: Session, log: Logger): Promise<RunningProxy> {
  const options = { log, reload: () => session.readConfig(flags) };
  if (config.workers === 1) {
    const { startProxy } = await import('../../app.ts');
    return await startProxy(config, { ...options, bodyBytesPassed });
  }
  const { startWorkers } = await import('../workers/start-workers.ts');
  const moved = (proxy: RunningProxy) => {
    void leaveRunFile(session.paths.run, proxy, log);
    log.warn({ address: proxy.address }, 'proxy listens on another port');
  };
  return await startWorkers(config, { ...options, moved });
}

async function start(session: Session, options: StartOptions): Promise<number> {
  const reloading = reloadOnHangup();
  try {
    return await serve(session, options, reloading);
  } finally {
    reloading.release();
  }
}

async function serve(session: Session, options: StartOptions, reloading: Reloading): Promise<number> {
  // A remark that finds no room on stderr is lost, as a line of the log is.
  session.terminal.stderr.on('error', () => undefined);
  const flags = flagsOf(options);
  const config = session.readConfig(flags);
  const log = createLogger(config.log.level);
  const { run } = session.paths;
  const stop = untilSignal(['SIGINT', 'SIGTERM']);
  const proxy = await open(config, flags, session, log).catch(async (error: unknown) => {
    throw await explain(error, run);
  });
  reloading.follow(proxy);
  try {
    await leaveRunFile(run, proxy, log);
    log.info({ address: proxy.address, adminAddress: proxy.adminAddress, app: config.app, home: config.home }, 'proxy started');
    announce(session, proxy);
    await stop.signal;
    log.info({}, 'proxy stopping');
  } finally {
    removeRunFile(run, process.pid);
    await proxy.stop();
  }
  log.info({}, 'proxy stopped');
  return 0;
}

/**
 * A proxy serves without its run file, on a read-only file system for example; only other commands cannot find it. That of another proxy which
 * runs for this home stays: what is started beside a service, for a short look, must not hide the service.
 */
async function leaveRunFile(runDir: string, proxy: RunningProxy, log: Logger): Promise<void> {
  const other = await findRunningProxy(runDir);
  if (other !== undefined && other.pid !== process.pid) {
    const { pid, host, port } = other;
    log.warn({ running: { pid, host, port } }, 'another proxy of this home runs: commands go on using that one');
    return;
  }
  try {
    writeRunFile(runDir, runFileOf(proxy));
  } catch (error) {
    log.warn({ err: error }, 'the run file cannot be written: commands will not find this proxy');
  }
}

function runFileOf({ address, adminAddress }: RunningProxy): RunFile {
  return {
    pid: process.pid,
    host: address.host,
    port: address.port,
    adminHost: adminAddress?.host ?? null,
    adminPort: adminAddress?.port ?? null,
    startedAt: new Date().toISOString(),
  };
}

/** `start`. */
export function addStartCommand(program: Command, runtime: Runtime): void {
  const command = declare(
    program,
    'start',
    'Start the proxy and keep it running until SIGTERM or Ctrl-C. SIGHUP reads the configuration again.',
    ['alter-proxy start', 'alter-proxy start --port 8080 --log-level debug', 'alter-proxy start --config /etc/alter-proxy/config.yaml'],
  )
    .option('--host <address>', 'address to listen on (listen.host)')
    .option('-p, --port <number>', 'port to listen on (listen.port)')
    .option('--store <kind-or-url>', 'embedded, redis or redis://host:port (store.kind, store.url)')
    .option('--require-key', 'ask clients on this machine for a key, too (listen.require_key)')
    .option('--admin-host <address>', 'address of the health endpoints (admin.host)')
    .option('--admin-port <number>', 'port of the health endpoints (admin.port)')
    .option('--no-admin', 'no health endpoints')
    .option('-w, --workers <number>', 'processes that share the port, or auto: one for each core (workers)')
    .addOption(new Option('--log-level <level>', 'what to log (log.level)').choices(['silent', 'error', 'warn', 'info', 'debug']));
  perform<StartOptions>(command, runtime, start);
}
