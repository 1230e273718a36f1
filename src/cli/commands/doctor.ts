import type { Command } from 'commander';
import { CommandError } from '../../errors.ts';
import { declare, perform, type Runtime } from '../command.ts';
import { examine, type Finding } from '../doctor-checks.ts';
import type { Output } from '../output.ts';
import { printable } from '../printable.ts';
import type { Session } from '../session.ts';

interface DoctorOptions {
  readonly probe?: string;
}

const MARKS = { ok: ['green', '✓'], warn: ['yellow', '!'], fail: ['red', '✗'] } as const;

function parseProbe(text: string | undefined): URL | undefined {
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:' || url.hostname === '')
    throw new CommandError('usage', '--probe takes an https URL, such as https://api.openai.com');
  return url;
}

function describe(findings: readonly Finding[], output: Output): string[] {
  const width = Math.max(...findings.map(({ name }) => name.length));
  return findings.flatMap(({ name, status, detail, fix }) => {
    const [style, mark] = MARKS[status];
    const indent = ' '.repeat(width + 4);
    const [first = '', ...more] = detail.split('\n').map((line) => printable(line));
    const lines = [`${output.paint(style, mark)} ${name.padEnd(width)}  ${first}`, ...more.map((line) => `${indent}${line}`)];
    return fix === undefined ? lines : [...lines, `${indent}${output.paint('cyan', '→')} ${printable(fix)}`];
  });
}

async function doctor(session: Session, options: DoctorOptions): Promise<number> {
  const findings = await examine(session, parseProbe(options.probe));
  const failures = findings.filter(({ status }) => status === 'fail').length;
  const { output } = session;
  output.result({ ok: failures === 0, checks: findings }, () => [...describe(findings, output), '', verdict(findings, output)]);
  return failures === 0 ? 0 : 1;
}

function verdict(findings: readonly Finding[], { paint }: Output): string {
  const things = (wanted: Finding['status']): string => {
    const found = findings.filter(({ status }) => status === wanted).length;
    return found === 0 ? '' : `${String(found)} thing${found === 1 ? '' : 's'}`;
  };
  const [mend, look] = [things('fail'), things('warn')];
  if (mend !== '') return paint('red', `${mend} to mend.`);
  return look === '' ? paint('green', 'Everything needed is in order.') : paint('yellow', `Nothing is broken; ${look} to look at.`);
}

/** `doctor`. */
export function addDoctorCommand(program: Command, runtime: Runtime): void {
  const command = declare(program, 'doctor', 'Check configuration, keyring, CA, store, port and upstream TLS, each with its fix.', [
    'alter-proxy doctor',
    'alter-proxy doctor --probe https://api.openai.com',
  ]).option('--probe <url>', 'also open one verified TLS connection to this address');
  perform<DoctorOptions>(command, runtime, doctor);
}
