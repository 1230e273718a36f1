/** Contract: docs/cli.md has a section for each command of the program, with each of its options and an example, and for nothing else. */
import { readFileSync } from 'node:fs';
import test from 'ava';
import { runProgram } from '../../src/cli/program.ts';
import { fakeTerminal } from '../support/fake-terminal.ts';

const PAGE = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8');

async function help(command: readonly string[]): Promise<string> {
  const terminal = fakeTerminal({ env: { ALTER_HOME: '/nonexistent' } });
  await runProgram([...command, '--help'], terminal);
  return terminal.written().stdout;
}

/** Lines of the groups of commands in the help of the program: `grant issue|list|show|revoke   …`. */
async function commands(): Promise<string[][]> {
  const text = await help([]);
  const body = text.slice(text.search(/^Proxy:$/m), text.search(/^Examples:$/m));
  return [...body.matchAll(/^ {2}([a-z]+)(?: ([a-z|]+))?(?: <[^>]+>)? {2,}\S/gm)].flatMap(([, name = '', inside]) =>
    inside === undefined ? [[name]] : inside.split('|').map((child) => [name, child]),
  );
}

/** Names of the command's own options; the global ones have a section of their own. */
function ownOptions(helpText: string): string[] {
  const end = helpText.search(/^Global options:$/m);
  const own = helpText.slice(helpText.search(/^Options:$/m), end === -1 ? undefined : end);
  return [...own.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, name = '']) => name).filter((name) => name !== '--help');
}

function sections(page: string): ReadonlyMap<string, string> {
  const found = [...page.matchAll(/^### alter-proxy (.+)\n((?:(?!##).*\n)*)/gm)];
  return new Map(found.map(([, name = '', text = '']) => [name, text]));
}

test('every command has its section, and every section is a command', async (t) => {
  const known = (await commands()).map((command) => command.join(' '));
  t.true(known.length > 25, 'the help was understood');
  t.deepEqual([...sections(PAGE).keys()].sort(), known.sort());
});

test('every section has an example and tells every option of its command, and no other', async (t) => {
  for (const command of await commands()) {
    const text = sections(PAGE).get(command.join(' ')) ?? '';
    t.regex(text, new RegExp(`^(?:.*[=| ])?alter-proxy ${command.join(' ')}\\b`, 'm'), `${command.join(' ')}: example`);
    const told = [...text.matchAll(/^\| `(?:-\w, )?(--[a-z-]+)/gm)].map(([, name]) => name);
    t.deepEqual(told.sort(), ownOptions(await help(command)).sort(), `${command.join(' ')}: options`);
  }
});

test('the options that every command takes are told once', async (t) => {
  const text = await help(['grant', 'list']);
  const globals = [...text.slice(text.search(/^Global options:$/m)).matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, name = '']) => name);
  t.deepEqual(globals, ['--home', '--config', '--json', '--no-color']);
  const everywhere = PAGE.slice(PAGE.indexOf('## Everywhere'), PAGE.indexOf('## Proxy'));
  for (const name of globals) t.true(everywhere.includes(`${name} `) || everywhere.includes(`${name}\``), name);
});
