import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { COMMAND_ERRORS, CommandError } from '../errors.ts';
import { addGlobalOptions, type Runtime } from './command.ts';
import { addAuditCommands } from './commands/audit.ts';
import { addCaCommands } from './commands/ca.ts';
import { addConfigCommands } from './commands/config.ts';
import { addDoctorCommand } from './commands/doctor.ts';
import { addGrantCommands } from './commands/grant.ts';
import { addInitCommand } from './commands/init.ts';
import { addKeyCommands } from './commands/key.ts';
import { addKeyringCommands } from './commands/keyring.ts';
import { addProviderCommands } from './commands/provider.ts';
import { addRunCommand } from './commands/run.ts';
import { addSecretCommands } from './commands/secret.ts';
import { addStartCommand } from './commands/start.ts';
import { reportError } from './report-error.ts';
import { wantsColour, type Terminal } from './terminal.ts';

const EXIT_USAGE = 2;

function packageVersion(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}

function addCommands(program: Command, runtime: Runtime): void {
  program.commandsGroup('Proxy:');
  addInitCommand(program, runtime);
  addStartCommand(program, runtime);
  addRunCommand(program, runtime);
  addDoctorCommand(program, runtime);
  program.commandsGroup('Credentials and access:');
  addSecretCommands(program, runtime);
  addGrantCommands(program, runtime);
  addKeyCommands(program, runtime);
  addProviderCommands(program, runtime);
  addAuditCommands(program, runtime);
  program.commandsGroup('Installation:');
  addConfigCommands(program, runtime);
  addCaCommands(program, runtime);
  addKeyringCommands(program, runtime);
}

/** How a command stands in the list of its parent: a group with the names of what it holds. */
function subcommandTerm(command: Command): string {
  const inside = command.commands.map((child) => child.name()).join('|');
  const args = command.registeredArguments.map((argument) => (argument.variadic ? `<${argument.name()}...>` : `<${argument.name()}>`));
  return [command.name(), inside, ...args].filter((part) => part !== '').join(' ');
}

function createProgram(runtime: Runtime): Command {
  const { stdout, stderr, env } = runtime.terminal;
  const program = new Command('alter-proxy');
  program
    .description('Puts credentials into the requests of workloads that never hold one.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .enablePositionalOptions()
    .exitOverride()
    .helpCommand(false)
    .configureHelp({
      styleTitle: (text) => (wantsColour(stdout, env, true) ? `\u001b[1m${text}\u001b[22m` : text),
      subcommandTerm,
    })
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      // Errors are reported below, in one place and in one form.
      outputError: () => undefined,
      getOutHelpWidth: () => Math.min(stdout.columns ?? 110, 110),
      getErrHelpWidth: () => Math.min(stderr.columns ?? 110, 110),
    });
  addGlobalOptions(program, true);
  addCommands(program, runtime);
  program.addHelpText(
    'after',
    '\nExamples:\n  $ alter-proxy init\n  $ alter-proxy secret add openai --provider openai\n' +
      "  $ alter-proxy grant issue --secret openai --label 'first steps'\n" +
      "  $ alter-proxy run -- curl https://api.openai.com/v1/models -H 'X-Alter-Grant: <grant>'\n\n" +
      'Exit codes: 0 done, 1 error, 2 wrong usage, 3 not allowed, 4 not found. `run` ends with the code of its command.',
  );
  return program;
}

/** The one line of a usage error of commander. What follows `=` may be a value that was meant to be secret, so it is not repeated. */
function usageError(error: CommanderError): CommandError {
  const [first = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  const hint = suggestion === undefined ? undefined : suggestion.replace(/^\(|\)$/g, '');
  return new CommandError('usage', first.replace(/(unknown option '[^'=]*)=[^']*'/s, "$1'"), hint === undefined ? {} : { hint });
}

/** The options that decide how an error is told must be known even when the line as a whole is not understood. */
function reportingOptions(args: readonly string[]): { readonly json: boolean; readonly colour: boolean } {
  const end = args.findIndex((argument) => argument === '--' || argument === 'run');
  const own =
    end < 0
      ? args
      : args.slice(0, args[end] === 'run' ? args.findIndex((argument, index) => index > end && !argument.startsWith('-')) : end);
  return { json: own.includes('--json'), colour: !own.includes('--no-color') };
}

/** The command that `args` name, as far as they name one. */
function namedCommand(program: Command, args: readonly string[]): Command {
  let found = program;
  for (const argument of args) found = found.commands.find((command) => command.name() === argument) ?? found;
  return found;
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

/** Replaces the standard hints that speak of "the command" by ones that name it. */
function withNamedCommand(error: CommandError, program: Command, args: readonly string[]): CommandError {
  if (error.hint !== COMMAND_ERRORS[error.code].hint) return error;
  const command = namedCommand(program, args);
  const list = command.parent?.commands.find((sibling) => sibling.name() === 'list');
  if (error.code === 'usage') return new CommandError('usage', error.message, { hint: `See \`${pathOf(command)} --help\`.`, cause: error });
  if (error.code === 'not_found' && list !== undefined) {
    return new CommandError('not_found', error.message, { hint: `See \`${pathOf(list)}\`.`, cause: error });
  }
  return error;
}

/** Runs the command that `args` (without the program's own name) ask for. Resolves with the exit code; never rejects. */
export async function runProgram(args: readonly string[], terminal: Terminal): Promise<number> {
  const runtime: Runtime = { terminal, exitCode: 0 };
  const program = createProgram(runtime);
  try {
    await program.parseAsync(args, { from: 'user' });
    return runtime.exitCode;
  } catch (error) {
    // `--help` and `--version` leave this way, too; a group without a command has shown its help.
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    if (error instanceof CommanderError && error.code === 'commander.help') return EXIT_USAGE;
    const failure = error instanceof CommanderError ? usageError(error) : error;
    const told = failure instanceof CommandError ? withNamedCommand(failure, program, args) : failure;
    return reportError(told, terminal, reportingOptions(args));
  }
}
