import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { CommandError } from '../../errors.ts';
import type { TrustFormat } from '../../pki/export.ts';
import { declare, declareGroup, perform, type Runtime } from '../command.ts';
import { confirmByName } from '../confirm.ts';
import { formatInstant } from '../duration.ts';
import { isExisting } from '../report-error.ts';
import type { Session } from '../session.ts';

const FORMATS: readonly TrustFormat[] = ['pem', 'der', 'bundle', 'p12'];
const BINARY: readonly TrustFormat[] = ['der', 'p12'];

interface ExportOptions {
  readonly format: TrustFormat;
  readonly out?: string;
  readonly passwordFile?: string;
  readonly force?: boolean;
}

async function show(session: Session): Promise<void> {
  const ca = await session.ca();
  const file = join(session.config().caDir, 'ca.pem');
  const { subject, fingerprint256 } = ca;
  session.output.result({ subject, fingerprint256, notBefore: ca.notBefore.toISOString(), notAfter: ca.notAfter.toISOString(), file }, () =>
    session.output.facts([
      ['Subject', subject],
      ['SHA-256', fingerprint256],
      ['Valid from', ca.notBefore.toISOString()],
      ['Valid until', `${ca.notAfter.toISOString()} (${formatInstant(ca.notAfter.getTime(), Date.now())})`],
      ['Certificate', file],
    ]),
  );
}

function readPassword(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  const password = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  if (password === '') throw new CommandError('usage', `${file} holds no password`);
  return password;
}

function writeExport(path: string, content: Buffer, force: boolean): void {
  try {
    writeFileSync(path, content, { mode: 0o644, flag: force ? 'w' : 'wx' });
  } catch (error) {
    if (!isExisting(error)) throw error;
    throw new CommandError('not_allowed', `${path} exists`, { hint: 'Name another file, or pass --force to replace it.' });
  }
}

async function exportCa(session: Session, options: ExportOptions): Promise<void> {
  const { format, out } = options;
  const { output, terminal } = session;
  if (options.passwordFile !== undefined && format !== 'p12') throw new CommandError('usage', '--password-file goes with --format p12');
  const password = readPassword(options.passwordFile);
  if (out === undefined && !output.json && BINARY.includes(format) && terminal.stdout.isTTY === true) {
    throw new CommandError('usage', `${format} is binary and would disturb the terminal`, {
      hint: 'Write it to a file with --out, or pipe it.',
    });
  }
  const ca = await session.ca();
  const { exportTrust } = await import('../../pki/export.ts');
  const content = exportTrust(ca, format, { includeRoots: format === 'p12', ...(password === undefined ? {} : { password }) });
  if (out !== undefined) {
    const path = resolve(out);
    writeExport(path, content, options.force === true);
    output.result({ format, file: path, bytes: content.length }, () => `Wrote ${path} (${format}, ${String(content.length)} bytes)`);
  } else if (output.json) {
    const binary = BINARY.includes(format);
    const encoding = binary ? 'base64' : 'utf8';
    output.result({ format, encoding, content: content.toString(encoding) }, () => '');
  } else terminal.stdout.write(content);
}

async function renew(session: Session, yes: boolean): Promise<void> {
  const { caDir } = session.config();
  const effect = `Clients that trust the CA in ${caDir} will not trust the new one until they are given its certificate.`;
  if (!yes) await confirmByName(session.terminal, effect, basename(caDir));
  const { renewCa } = await import('../../pki/ca.ts');
  const { subject, fingerprint256, notAfter } = renewCa(caDir);
  session.output.result(
    { folder: caDir, subject, fingerprint256, notAfter: notAfter.toISOString() },
    () => `Created a new CA in ${caDir} (SHA-256 ${fingerprint256})`,
  );
  session.output.note('Restart the proxy, and give the certificate to every client: alter-proxy ca export');
}

/** `ca show`, `ca export` and `ca renew`. */
export function addCaCommands(program: Command, runtime: Runtime): void {
  const group = declareGroup(program, 'ca', 'The certificate authority that clients trust');
  perform(
    declare(group, 'show', 'Show subject, fingerprint and validity of the CA.', ['alter-proxy ca show']),
    runtime,
    async (session) => {
      await show(session);
      return 0;
    },
  );
  const command = declare(group, 'export', 'Export the CA certificate for clients. The private key never leaves the home folder.', [
    'alter-proxy ca export > alter-proxy-ca.pem',
    'alter-proxy ca export --format bundle --out /etc/ssl/alter-bundle.pem   # public roots and the CA',
    'alter-proxy ca export --format p12 --out trust.p12                      # Java trust store, password changeit',
  ])
    .addOption(
      new Option('-f, --format <format>', 'pem and der: the CA alone; bundle and p12: with the public roots')
        .choices(FORMATS)
        .default('pem'),
    )
    .option('-o, --out <file>', 'write to a file instead of stdout')
    .option('--password-file <file>', 'file with the password of the p12 (default: changeit)')
    .option('--force', 'replace an existing file');
  perform<ExportOptions>(command, runtime, async (session, options) => {
    await exportCa(session, options);
    return 0;
  });
  const renewing = declare(
    group,
    'renew',
    'Make a new CA in the place of one that is lost, expired or no longer to be trusted. The files of the old one stay beside it, in a folder with .old at its end.',
    ['alter-proxy ca renew'],
  ).option('-y, --yes', 'do not ask');
  perform<{ readonly yes?: boolean }>(renewing, runtime, async (session, options) => {
    await renew(session, options.yes === true);
    return 0;
  });
}
