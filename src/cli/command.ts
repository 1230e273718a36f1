import { Command, Option } from 'commander';
import { CommandError } from '../errors.ts';
import { parseDuration } from '../message/duration.ts';
import { Session, type GlobalOptions } from './session.ts';
import type { Terminal } from './terminal.ts';

/** Where the commands of a program find their surroundings and leave their exit code. */
export interface Runtime {
  readonly terminal: Terminal;
  /** Exit code of a command that did not fail; `run` passes that of its child on. */
  exitCode: number;
}

/** Says what a command does. The arguments are those of the command line, `options` its own. */
export type CommandBody<Options> = (
  session: Session,
  options: Options,
  args: readonly string[],
) => Promise<number | undefined> | number | undefined;

const GROUP = 'Global options:';

/**
 * Adds the options that every command takes. They stand on each command, because `run` must leave alone what follows its command, and so
 * commander looks for an option only where it was declared.
 */
export function addGlobalOptions(command: Command, visible: boolean): Command {
  const options = [
    new Option('--home <folder>', 'home folder (ALTER_HOME; default: ~/.alter-proxy)'),
    new Option('-c, --config <file>', 'configuration file (default: config.yaml in the home folder)'),
    new Option('--json', 'print JSON for programs'),
    new Option('--no-color', 'print without colours (NO_COLOR)'),
  ];
  for (const option of options) command.addOption(visible ? option.helpGroup(GROUP) : option.hideHelp());
  return command;
}

/** The global options of a command, wherever on the line they stood. */
function globalOptions(command: Command): GlobalOptions {
  const chain: Record<string, unknown>[] = [];
  for (let current: Command | null = command; current !== null; current = current.parent) chain.push(current.opts());
  const text = (name: string) => chain.map((options) => options[name]).find((value) => typeof value === 'string');
  return {
    home: text('home'),
    config: text('config'),
    json: chain.some((options) => options['json'] === true),
    colour: chain.every((options) => options['color'] !== false),
  };
}

/** Declares a command below `parent`: `usage` is its name with its arguments. Lists show the first sentence of `description`. */
export function declare(parent: Command, usage: string, description: string, examples: readonly string[]): Command {
  const command = parent
    .command(usage)
    .description(description)
    .summary(description.replace(/\. .*$|\.$/s, ''));
  return command.addHelpText('after', `\nExamples:\n${examples.map((example) => `  $ ${example}`).join('\n')}`);
}

/** Declares a group of commands below `program`. */
export function declareGroup(program: Command, name: string, description: string): Command {
  const group = program.command(name).description(`${description}.`).summary(description).helpCommand(false);
  return addGlobalOptions(group, false);
}

/** Gives a command its body. The session is closed when the body ends. */
export function perform<Options>(command: Command, runtime: Runtime, body: CommandBody<Options>): void {
  addGlobalOptions(command, true).action(async () => {
    const session = new Session(runtime.terminal, globalOptions(command));
    try {
      const args = command.processedArgs.flat().filter((argument): argument is string => typeof argument === 'string');
      runtime.exitCode = (await body(session, command.opts() as Options, args)) ?? 0;
    } finally {
      await session.close();
    }
  });
}

/** Collects an option that may be given several times. */
export function collect(value: string, earlier: readonly string[] | undefined): readonly string[] {
  return [...(earlier ?? []), value];
}

/** Milliseconds of a duration given to `option`. Throws CommandError `usage`. */
export function durationOption(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = parseDuration(text);
  if (ms === undefined) {
    throw new CommandError('usage', `${option} is not a duration`, { hint: 'Write a number and a unit: 45s, 30m, 12h, 30d, 2w or 1h30m.' });
  }
  return ms;
}
