import { statSync } from 'node:fs';
import { createServer } from 'node:net';
import { connect, rootCertificates } from 'node:tls';
import { ADMIN_PORT_HINT } from '../admin/health.ts';
import type { Config } from '../config/config.ts';
import { COMMAND_ERRORS, CommandError } from '../errors.ts';
import { publicRoots, rootFiles } from '../pki/public-roots.ts';
import { StoreUnavailableError, type StoreWork } from '../store/store.ts';
import { fingerprint } from '../vault/fingerprint.ts';
import type { KeyRecord } from '../vault/records.ts';
import { formatInstant } from './duration.ts';
import { fileError } from './report-error.ts';
import { accepts, dialHost, findRunningProxy } from './run-file.ts';
import type { Session } from './session.ts';

/** What one check found. A warning does not make the home unfit. */
export interface Finding {
  readonly name: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  /** What to do; only when something is to be done. */
  readonly fix?: string;
}

type Check = () => Promise<Finding> | Finding;

/** The clock of a machine that was never set stands before this. */
const EARLIEST_NOW_MS = Date.UTC(2025, 0, 1);
const CA_WARNING_MS = 30 * 86_400_000;
const PROBE_TIMEOUT_MS = 5_000;

const TLS_FIXES: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "The server's certificate has expired, or the clock of this machine is wrong.",
  ERR_TLS_CERT_ALTNAME_INVALID: 'The certificate is for another name; check the address.',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'Add the certificate to upstream.ca_files if you trust it.',
  SELF_SIGNED_CERT_IN_CHAIN: 'Add the private CA to upstream.ca_files if you trust it.',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'Add the private CA to upstream.ca_files if you trust it.',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'The server does not send its whole chain, or its CA is private: add that to upstream.ca_files.',
  ENOTFOUND: 'Check the name and the DNS of this machine.',
  EAI_AGAIN: 'Check the DNS of this machine.',
  ECONNREFUSED: 'Nothing listens there; check the port.',
};

function count(number: number, noun: string): string {
  return `${String(number)} ${noun}${number === 1 ? '' : 's'}`;
}

function active(records: readonly { readonly status: string }[]): number {
  return records.filter(({ status }) => status === 'active').length;
}

function ok(name: string, detail: string): Finding {
  return { name, status: 'ok', detail };
}

/** Turns what a check threw into a finding. */
function failed(name: string, error: unknown): Finding {
  const known = error instanceof CommandError ? error : fileError(error);
  if (known !== undefined) return { name, status: 'fail', detail: known.message, fix: known.hint };
  if (error instanceof StoreUnavailableError)
    return { name, status: 'fail', detail: error.message, fix: error.hint ?? COMMAND_ERRORS.store_unreachable.hint };
  return { name, status: 'fail', detail: error instanceof Error ? error.message : String(error), fix: COMMAND_ERRORS.internal.hint };
}

async function attempt(name: string, check: Check): Promise<Finding> {
  try {
    return await check();
  } catch (error) {
    return failed(name, error);
  }
}

function checkHome(session: Session): Finding {
  const { mode } = statSync(session.home);
  if ((mode & 0o077) === 0) return ok('home', session.home);
  return { name: 'home', status: 'warn', detail: `${session.home} is open to other users`, fix: `chmod 700 ${session.home}` };
}

function checkClock(now: number): Finding {
  const time = new Date(now).toISOString();
  if (now >= EARLIEST_NOW_MS) return ok('clock', time);
  return {
    name: 'clock',
    status: 'fail',
    detail: `${time} is in the past`,
    fix: 'Set the clock; certificates and grants are judged by it.',
  };
}

function checkKeyring(session: Session): Finding {
  const { app } = session.config();
  const keys = session
    .keyring()
    .list()
    .filter((key) => key.app === app);
  const active = keys.find((key) => key.active);
  if (active === undefined) {
    return { name: 'keyring', status: 'fail', detail: `no active key for app ${app}`, fix: 'Run `alter-proxy keyring add`.' };
  }
  return ok('keyring', `${count(keys.length, 'key')} for app ${app}, ${active.kid} seals`);
}

async function checkCa(session: Session, now: number): Promise<Finding> {
  const { notAfter } = await session.ca();
  const detail = `valid until ${notAfter.toISOString().slice(0, 10)} (${formatInstant(notAfter.getTime(), now)})`;
  if (notAfter.getTime() - now > CA_WARNING_MS) return ok('ca', detail);
  return { name: 'ca', status: 'warn', detail, fix: 'Make a new CA with `alter-proxy ca renew`, and give it to the clients.' };
}

/** What a proxy cannot do, and whether it can do its main work without. */
const WORK: Readonly<Record<StoreWork, { readonly what: string; readonly serious: boolean }>> = {
  records: { what: 'records cannot be read', serious: true },
  audit: { what: 'audit events cannot be written', serious: true },
  cache: { what: 'changes are not told, so that each request reads its records from the store', serious: false },
  uses: { what: 'uses cannot be counted', serious: false },
  grants: { what: 'agents cannot ask for grants (agents.self_issue)', serious: false },
};

async function checkStore(session: Session): Promise<Finding> {
  const { store: config, app, agents } = session.config();
  const store = await session.store();
  const started = performance.now();
  await store.ping();
  const place = `${config.kind}, ${config.kind === 'embedded' ? config.path : config.url}`;
  const answered = `${place}, answered in ${(performance.now() - started).toFixed(1)} ms`;
  const faults = (await store.rehearse(app)).filter(({ work }) => work !== 'grants' || agents.selfIssue);
  if (faults.length === 0) return ok('store', answered);
  return {
    name: 'store',
    status: faults.some(({ work }) => WORK[work].serious) ? 'fail' : 'warn',
    detail: [place, ...faults.map(({ work, error }) => `${WORK[work].what}: ${error.message}`)].join('\n'),
    fix: [...new Set(faults.map(({ error }) => error.hint ?? COMMAND_ERRORS.store_unreachable.hint))].join(' '),
  };
}

/** Every record must open with this keyring. */
async function checkRecords(session: Session): Promise<Finding> {
  const administration = await session.administration();
  const secrets = await administration.listSecrets();
  const grants = await administration.listGrants();
  const [unreadable, ...more] = await administration.unreadable();
  if (unreadable !== undefined) {
    const others = more.length === 0 ? '' : ` and ${String(more.length)} more`;
    return { name: 'records', status: 'fail', detail: `does not open: ${unreadable}${others}`, fix: COMMAND_ERRORS.record_unreadable.hint };
  }
  return ok('records', `all open with this keyring: ${count(active(secrets), 'active secret')}, ${count(active(grants), 'active grant')}`);
}

function canListen(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code ?? error.message);
    });
    server.listen({ host, port }, () => {
      server.close(() => {
        resolve(undefined);
      });
    });
  });
}

interface Listening {
  readonly host: string;
  readonly port: number;
}

async function checkAddress(name: string, { host, port }: Listening, fix: string): Promise<Finding> {
  const place = `${host}:${String(port)}`;
  const problem = await canListen(host, port);
  if (problem === undefined) return ok(name, `${place} is free`);
  const taken = await accepts(dialHost(host), port);
  const detail = taken ? `another program listens on ${place}` : `${place} cannot be listened on (${problem})`;
  return { name, status: 'fail', detail, fix };
}

async function checkPorts(session: Session, config: Config): Promise<readonly Finding[]> {
  const running = await findRunningProxy(session.paths.run);
  if (running !== undefined)
    return [ok('port', `the proxy runs on ${running.host}:${String(running.port)} (process ${String(running.pid)})`)];
  const listen = await checkAddress('port', config.listen, COMMAND_ERRORS.port_in_use.hint);
  return config.admin === undefined ? [listen] : [listen, await checkAddress('admin port', config.admin, ADMIN_PORT_HINT)];
}

/** The proxy's own key must be one that the store knows, or callers without a key are refused. */
async function checkOwnKey(session: Session): Promise<Finding> {
  // With its key file, or it ends here and says what is wrong with that.
  const config = session.readConfig();
  if (config.key === undefined) return ok('key', 'none of its own: callers bring one');
  const id = fingerprint(config.key);
  const record = id === undefined ? undefined : await (await session.administration()).findKey(id);
  const trouble = ownKeyTrouble(record);
  if (record !== undefined && trouble === undefined) return ok('key', `${record.prefix}…, stored as ${record.name}`);
  return {
    name: 'key',
    status: 'warn',
    detail: `the proxy's own key ${trouble ?? 'is not in this store'}`,
    fix: `alter-proxy key create sidecar --force --out ${session.paths.key}`,
  };
}

function ownKeyTrouble(record: KeyRecord | undefined): string | undefined {
  if (record === undefined) return undefined;
  const { status, expiresAt = Infinity } = record;
  if (status === 'revoked' || expiresAt <= Date.now()) return 'is revoked or has expired';
  const end = expiresAt === Infinity ? '' : `, and ends ${formatInstant(expiresAt, Date.now())}`;
  return status === 'active' ? undefined : `is deprecated${end}: it works on, and every answer says that it should be replaced`;
}

function checkCatalogue(session: Session): Finding {
  return ok('catalogue', count(session.catalogue().all().length, 'provider'));
}

function trustedRoots(config: Config, session: Session): string[] {
  return publicRoots([...rootFiles(session.terminal.env), ...config.upstream.caFiles]);
}

function checkRoots(session: Session, config: Config): Finding {
  const roots = trustedRoots(config, session);
  const own = roots.length - rootCertificates.length;
  return ok(
    'upstream tls',
    `${String(roots.length)} trusted roots${own > 0 ? `, ${String(own)} of them from this machine and upstream.ca_files` : ''}`,
  );
}

/** Opens one verified TLS connection, as the proxy would. */
function probe(url: URL, roots: readonly string[]): Promise<Finding> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port === '' ? 443 : Number(url.port);
  return new Promise((resolve) => {
    const started = performance.now();
    const socket = connect({ host, port, servername: host, ca: [...roots], timeout: PROBE_TIMEOUT_MS, ALPNProtocols: ['http/1.1'] });
    const answer = (finding: Finding) => {
      socket.destroy();
      resolve(finding);
    };
    socket.once('secureConnect', () => {
      answer(ok('probe', `${url.host}: ${socket.getProtocol() ?? 'TLS'}, verified in ${(performance.now() - started).toFixed(0)} ms`));
    });
    socket.once('timeout', () => {
      answer({
        name: 'probe',
        status: 'fail',
        detail: `${url.host} did not answer within 5 s`,
        fix: 'Check the network and its firewalls.',
      });
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      const fix = TLS_FIXES[error.code ?? ''] ?? 'Check the address and the network.';
      answer({ name: 'probe', status: 'fail', detail: `${url.host}: ${error.message}`, fix });
    });
  });
}

/**
 * Looks at everything that a proxy of this home needs, in the order in which one thing rests on another. What cannot be looked at because
 * an earlier part is broken is left out.
 */
export async function examine(session: Session, probeUrl: URL | undefined): Promise<readonly Finding[]> {
  const now = Date.now();
  const findings = [checkClock(now)];
  const take = async (name: string, check: Check): Promise<boolean> => {
    const finding = await attempt(name, check);
    findings.push(finding);
    return finding.status !== 'fail';
  };
  const readable = await take('config', () => ok('config', session.config().file ?? 'defaults and environment'));
  if (!readable) return findings;
  const config = session.config();
  await take('home', () => checkHome(session));
  const keyring = await take('keyring', () => checkKeyring(session));
  await take('ca', () => checkCa(session, now));
  const catalogue = await take('catalogue', () => checkCatalogue(session));
  const store = await take('store', () => checkStore(session));
  if (keyring && store && catalogue) {
    await take('records', () => checkRecords(session));
    await take('key', () => checkOwnKey(session));
  }
  findings.push(...(await checkPorts(session, config)));
  const roots = await take('upstream tls', () => checkRoots(session, config));
  if (probeUrl !== undefined && roots) await take('probe', () => probe(probeUrl, trustedRoots(config, session)));
  return findings;
}
