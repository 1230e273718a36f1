import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import type { Config } from '../../src/config/config.ts';
import { loadConfig, type ConfigInput } from '../../src/config/load.ts';
import { CommandError } from '../../src/errors.ts';

/** A home folder for one test, and the configuration read from it. */
export interface ConfigHome {
  readonly home: string;
  /** `config.yaml`. */
  readonly file: string;
  /** Writes a file (mode 0600) below the home; returns its path. */
  write(name: string, text: string | Uint8Array, mode?: number): string;
  load(input?: Partial<ConfigInput>): Config;
  /** The error that reading `yaml` ends with. */
  failure(yaml: string | undefined, input?: Partial<ConfigInput>): CommandError;
  /** Its lines, with `config.yaml` for the path of the file. */
  problems(yaml: string | undefined, input?: Partial<ConfigInput>): string[];
}

/** Makes a home folder that goes with the test. */
export function configHome(t: ExecutionContext): ConfigHome {
  const home = mkdtempSync(path.join(os.tmpdir(), 'alter-config-'));
  t.teardown(() => rmSync(home, { recursive: true, force: true }));
  const file = path.join(home, 'config.yaml');
  const write = (name: string, text: string | Uint8Array, mode = 0o600): string => {
    const target = path.join(home, name);
    writeFileSync(target, text, { mode });
    return target;
  };
  const load = (input: Partial<ConfigInput> = {}): Config => loadConfig({ home, env: {}, ...input });
  const failure = (yaml: string | undefined, input: Partial<ConfigInput> = {}): CommandError => {
    if (yaml !== undefined) write('config.yaml', yaml);
    try {
      load(input);
    } catch (error) {
      if (error instanceof CommandError) return error;
      throw error;
    }
    throw new Error('the configuration was accepted');
  };
  const problems = (yaml: string | undefined, input?: Partial<ConfigInput>): string[] =>
    failure(yaml, input).message.replaceAll(file, 'config.yaml').split('\n');
  return { home, file, write, load, failure, problems };
}
