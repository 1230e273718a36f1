import type { Command } from 'commander';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { CommandError } from '../errors.ts';
import { parsePolicyFile } from '../policy-file/policy-file.ts';
import type { Rule } from '../policy/rules.ts';
import type { PolicyTarget } from '../vault/policies.ts';
import type { Session } from './session.ts';

/** The options that say what a policy is attached to. */
export interface TargetOptions {
  readonly app?: boolean;
  readonly provider?: string;
  readonly secret?: string;
  readonly agent?: string;
  readonly grant?: string;
}

const MAX_INPUT_BYTES = 1024 * 1024;

/** Adds the options to a command. */
export function addTargetOptions(command: Command): Command {
  return command
    .option('--app', 'the app: every request that uses a grant')
    .option('-p, --provider <slug>', 'a provider: every request with one of its secrets')
    .option('-s, --secret <name-or-id>', 'a secret: every request with one of its grants')
    .option('-a, --agent <name>', 'an agent: every request with one of its keys')
    .option('-g, --grant <id>', 'a grant');
}

/** What the options name. Throws CommandError `usage` unless it is exactly one place. */
export function targetOf(options: TargetOptions): PolicyTarget {
  const named = namedTargets(options);
  const [target] = named;
  if (target === undefined || named.length > 1)
    throw new CommandError('usage', 'name one of --app, --provider, --secret, --agent and --grant');
  return target;
}

function namedTargets({ app, provider, secret, agent, grant }: TargetOptions): readonly PolicyTarget[] {
  return [
    ...(app === true ? [{ at: 'app' } as const] : []),
    ...(provider === undefined ? [] : [{ at: 'provider', slug: provider } as const]),
    ...(secret === undefined ? [] : [{ at: 'secret', secret } as const]),
    ...(agent === undefined ? [] : [{ at: 'agent', agent } as const]),
    ...(grant === undefined ? [] : [{ at: 'grant', grant } as const]),
  ];
}

/** The rules of a file, or of stdin when it is `-`. */
export async function readRules(session: Session, file: string): Promise<readonly Rule[]> {
  return parsePolicyFile(await readInput(session, file), file === '-' ? 'stdin' : basename(file));
}

/** The text of a file, or of stdin when it is `-`. */
export async function readInput(session: Session, file: string): Promise<string> {
  if (file === '-') return await readStdin(session);
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new CommandError('file_unreadable', `${file} cannot be read`, { cause });
  }
}

async function readStdin({ terminal }: Session): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of terminal.stdin as AsyncIterable<Buffer | string>) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > MAX_INPUT_BYTES) throw new CommandError('usage', 'stdin is larger than 1 MiB');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}
