import type { Command } from 'commander';
import type { Config } from '../../config/config.ts';
import { declare, declareGroup, perform, type Runtime } from '../command.ts';
import type { Output } from '../output.ts';
import type { Session } from '../session.ts';

/** Settings one per line, in the spelling of the file. */
function flatten(value: unknown, path: readonly string[]): (readonly [string, string])[] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && !isPrintedWhole(value)) {
    return Object.entries(value).flatMap(([name, child]) => flatten(child, [...path, snakeCase(name)]));
  }
  return [[path.join('.'), settingText(value)]];
}

function settingText(value: unknown): string {
  if (value === undefined) return '-';
  const json: unknown = JSON.parse(JSON.stringify(value));
  return typeof json === 'string' ? json : JSON.stringify(json);
}

/** A Secret, which prints itself redacted, and an empty mapping. */
function isPrintedWhole(value: object): boolean {
  return 'toJSON' in value || Object.keys(value).length === 0;
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function source(config: Config): string {
  return config.file ?? 'defaults, environment and flags (there is no file)';
}

function show(session: Session): void {
  const { output } = session;
  const config = session.config();
  output.result(config, () => settingsTable(output, config));
}

function settingsTable(output: Output, config: Config): string[] {
  return output.facts(flatten(config, []));
}

function check(session: Session): void {
  const config = session.readConfig();
  session.output.result(
    { ok: true, file: config.file ?? null, home: config.home, app: config.app },
    () => `${session.output.paint('green', '✓')} The configuration is valid: ${source(config)}`,
  );
}

/** `config check` and `config show`. */
export function addConfigCommands(program: Command, runtime: Runtime): void {
  const group = declareGroup(program, 'config', 'The configuration of the proxy');
  const checking = declare(group, 'check', 'Read the configuration as `start` would, and say what is wrong with it.', [
    'alter-proxy config check',
    'alter-proxy config check --config /etc/alter-proxy/config.yaml',
  ]);
  perform(checking, runtime, (session) => {
    check(session);
    return 0;
  });
  const showing = declare(
    group,
    'show',
    'Show every setting in force: file, environment and defaults together. Credentials are redacted.',
    ['alter-proxy config show'],
  );
  perform(showing, runtime, (session) => {
    show(session);
    return 0;
  });
}
