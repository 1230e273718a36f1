import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { ROOT } from '../run-command.mjs';

const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };
const STOP_DEADLINE_MS = 5_000;

/** What went wrong, for people. `details` are lines that help to find out why. */
export class DemoFailure extends Error {
  /**
   * @param {string} message
   * @param {string} [details]
   */
  constructor(message, details = '') {
    super(message);
    this.details = details.trim();
  }
}

/** Environment of every child: nothing of the developer's own proxy, trust or alter-proxy, and no curl or npm surprises. */
function cleanEnvironment() {
  const foreign = /^(ALTER_.*|(https?|all|no)_proxy|CURL_CA_BUNDLE|SSL_CERT_(FILE|DIR)|NODE_EXTRA_CA_CERTS|NODE_OPTIONS|FORCE_COLOR)$/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}

/** The folder of one demo and everything that runs for it. Whatever happens, {@link Workspace.close} leaves neither. */
export class Workspace {
  folder = path.join(ROOT, '.demo');
  /** @type {Set<import('node:child_process').ChildProcess>} */
  #children = new Set();
  /** @type {(() => Promise<void> | void)[]} */
  #closers = [];
  /** @type {Promise<void> | undefined} */
  #closed;
  /** Whether a signal ends the demo. */
  interrupted = false;

  constructor() {
    for (const [signal, code] of Object.entries(SIGNALS)) {
      process.once(signal, () => {
        this.interrupted = true;
        void this.close().finally(() => process.exit(code));
      });
    }
  }

  /** Makes the folder. One that a killed demo left behind is replaced; one of a demo that runs is not. */
  create() {
    const owner = path.join(this.folder, 'pid');
    const pid = existsSync(owner) ? Number(readFileSync(owner, 'utf8')) : 0;
    if (pid > 0 && isAlive(pid)) throw new DemoFailure(`a demo runs already (process ${pid}), in ${this.folder}`);
    rmSync(this.folder, { recursive: true, force: true });
    mkdirSync(this.folder, { mode: 0o700 });
    this.onClose(() => rmSync(this.folder, { recursive: true, force: true }));
    writeFileSync(owner, String(process.pid));
  }

  /** @param {string} name */
  file(name) {
    return path.join(this.folder, name);
  }

  /**
   * Adds what is to be done at the end; the last one is done first.
   * @param {() => Promise<void> | void} closer
   */
  onClose(closer) {
    this.#closers.push(closer);
  }

  /**
   * Starts a child in a process group of its own, so that all that it starts ends with it, also when only this process gets a signal.
   * @param {string} command
   * @param {readonly string[]} args
   * @param {{ env?: Record<string, string>, stdio?: import('node:child_process').StdioOptions }} [options]
   */
  spawn(command, args, { env = {}, stdio = ['pipe', 'pipe', 'pipe'] } = {}) {
    if (this.#closed !== undefined) throw new DemoFailure('the demo is ending');
    const child = spawn(command, args, { cwd: ROOT, detached: true, env: { ...cleanEnvironment(), ...env }, stdio });
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    child.once('error', () => this.#children.delete(child));
    return child;
  }

  /**
   * Runs a command to its end, without showing what it prints.
   * @param {string} command
   * @param {readonly string[]} args
   * @param {{ env?: Record<string, string>, input?: string, timeoutMs?: number }} [options]
   */
  async run(command, args, { env = {}, input = '', timeoutMs = 60_000 } = {}) {
    const child = this.spawn(command, args, { env });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', (text) => (output[name] += text));
    // A child that does not read its input is no failure of its own: its exit code tells.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    const timer = setTimeout(() => end(child, 'SIGKILL'), timeoutMs);
    const [code] = await once(child, 'close').finally(() => clearTimeout(timer));
    return { code, ...output };
  }

  /**
   * Ends a child with SIGTERM, or with SIGKILL when it does not listen. Resolves with its exit code.
   * @param {import('node:child_process').ChildProcess} child
   */
  async stop(child) {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const exited = once(child, 'exit');
    end(child, 'SIGTERM');
    const timer = setTimeout(() => end(child, 'SIGKILL'), STOP_DEADLINE_MS);
    const [code] = await exited.finally(() => clearTimeout(timer));
    return code;
  }

  /** Ends every child and removes the folder. */
  close() {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close() {
    await Promise.all([...this.#children].map((child) => this.stop(child)));
    for (const closer of this.#closers.reverse()) await closer();
  }
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {NodeJS.Signals} signal
 */
function end(child, signal) {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    // It has ended in this very moment.
    if (error.code !== 'ESRCH') throw error;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
