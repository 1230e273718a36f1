import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { COMMAND_ERRORS, CommandError } from '../errors.ts';
import { addGlobalOptions, type Runtime } from './command.ts';
import { lostOutput, reportError } from './report-error.ts';
import { wantsColour, type Terminal } from './terminal.ts';

const EXIT_USAGE = 2;

function packageVersion(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}

type AddCommands = (program: Command, runtime: Runtime) => void;

/** The commands by heading, in the order of the help. A command's own code, and what it needs, is loaded when it is called. */
const COMMANDS: Readonly<Record<string, Readonly<Record<string, () => Promise<AddCommands>>>>> = {
  'Proxy:': {
    init: async () => (await import('./commands/init.ts')).addInitCommand,
    start: async () => (await import('./commands/start.ts')).addStartCommand,
    run: async () => (await import('./commands/run.ts')).addRunCommand,
    doctor: async () => (await import('./commands/doctor.ts')).addDoctorCommand,
  },
  'Credentials and access:': {
    secret: async () => (await import('./commands/secret.ts')).addSecretCommands,
    grant: async () => (await import('./commands/grant.ts')).addGrantCommands,
    policy: async () => (await import('./commands/policy.ts')).addPolicyCommands,
    key: async () => (await import('./commands/key.ts')).addKeyCommands,
    agent: async () => (await import('./commands/agent.ts')).addAgentCommands,
    idp: async () => (await import('./commands/idp.ts')).addIdpCommands,
    provider: async () => (await import('./commands/provider.ts')).addProviderCommands,
    audit: async () => (await import('./commands/audit.ts')).addAuditCommands,
  },
  'Installation:': {
    config: async () => (await import('./commands/config.ts')).addConfigCommands,
    ca: async () => (await import('./commands/ca.ts')).addCaCommands,
    keyring: async () => (await import('./commands/keyring.ts')).addKeyringCommands,
  },
};

/** The commands that `args` may mean: those that it names, or all of them for the help and for suggestions. */
function wantedCommands(args: readonly string[]): readonly string[] {
  const all = Object.values(COMMANDS).flatMap((group) => Object.keys(group));
  const [first = ''] = args;
  if (first === '-V' || first === '--version') return [];
  const named = all.filter((name) => args.includes(name));
  return named.length === 0 || first === '-h' || first === '--help' ? all : named;
}

async function addCommands(program: Command, runtime: Runtime, args: readonly string[]): Promise<void> {
  const wanted = wantedCommands(args);
  for (const [heading, group] of Object.entries(COMMANDS)) {
    program.commandsGroup(heading);
    for (const [name, load] of Object.entries(group)) {
      if (wanted.includes(name)) (await load())(program, runtime);
    }
  }
}

/** How a command stands in the list of its parent: a group with the names of what it holds. */
function subcommandTerm(command: Command): string {
  const inside = command.commands.map((child) => child.name()).join('|');
  const args = command.registeredArguments.map((argument) => (argument.variadic ? `<${argument.name()}...>` : `<${argument.name()}>`));
  return [command.name(), inside, ...args].filter((part) => part !== '').join(' ');
}

async function createProgram(runtime: Runtime, args: readonly string[]): Promise<Command> {
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
      // The help of a group without a command. With --json the error alone is told.
      writeErr: (text) => {
        if (!reportingOptions(args).json) stderr.write(text);
      },
      // Errors are reported below, in one place and in one form.
      outputError: () => undefined,
      getOutHelpWidth: () => Math.min(stdout.columns ?? 110, 110),
      getErrHelpWidth: () => Math.min(stderr.columns ?? 110, 110),
    });
  addGlobalOptions(program, true);
  await addCommands(program, runtime, args);
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
  if (error.code === 'commander.help') return new CommandError('usage', 'a command is missing');
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

/** Tells that the output of the command that `args` ask for is lost, at least in part; returns the exit code. */
export function reportOutputError(error: Error, args: readonly string[], terminal: Terminal): number {
  return reportError(lostOutput(error), terminal, reportingOptions(args));
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

/** Replaces the standard hints that speak of "the command" by ones that name it. An error about another kind of thing brings its own hint. */
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

/** Runs the command that `args` (without the program's own name) ask for. Resolves with the exit code, also after an error. */
export async function runProgram(args: readonly string[], terminal: Terminal): Promise<number> {
  const runtime: Runtime = { terminal, exitCode: 0 };
  const program = await createProgram(runtime, args);
  try {
    await program.parseAsync(args, { from: 'user' });
    return runtime.exitCode;
  } catch (error) {
    // `--help` and `--version` leave this way, too; a group without a command has shown its help.
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    if (error instanceof CommanderError && error.code === 'commander.help' && !reportingOptions(args).json) return EXIT_USAGE;
    const failure = error instanceof CommanderError ? usageError(error) : error;
    const told = failure instanceof CommandError ? withNamedCommand(failure, program, args) : failure;
    return reportError(told, terminal, reportingOptions(args));
  }
}
