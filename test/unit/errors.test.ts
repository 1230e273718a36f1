/** Contract: docs/errors.md tells every code, with the status, the text and the hint of the registry, and no other code. */
import { readFileSync } from 'node:fs';
import test from 'ava';
import { AlterError, COMMAND_ERRORS, CommandError, WIRE_ERRORS, type WireCode } from '../../src/errors.ts';

const PAGE = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');

/** Sections of the page by their code. */
function sections(page: string): ReadonlyMap<string, string> {
  const wire = page.slice(page.indexOf('## Codes on the wire'), page.indexOf('## Codes of commands'));
  const found = [...wire.matchAll(/^### (?<code>\S+)\n(?<text>(?:(?!^###? ).*\n)*)/gm)];
  return new Map(found.map(({ groups }) => [groups?.['code'] ?? '', groups?.['text'] ?? '']));
}

/** Rows of the table of commands: code, exit code, hint. */
function rows(page: string): string[][] {
  const table = page.slice(page.indexOf('## Codes of commands'));
  return [...table.matchAll(/^\| <a id="(\w+)"><\/a>`(\w+)`\s*\| (\d)\s*\| (.*?)\s*\|$/gm)].map(([, ...cells]) => cells);
}

const CODES = Object.keys(WIRE_ERRORS) as WireCode[];

test('every code on the wire has its section, and every section is a code', (t) => {
  t.deepEqual([...sections(PAGE).keys()].sort(), [...CODES].sort());
});

test('every section tells the status, the title and the hint of its code', (t) => {
  const texts = sections(PAGE);
  for (const code of CODES) {
    const { status, title, hint } = WIRE_ERRORS[code];
    const text = texts.get(code) ?? '';
    t.true(text.trimStart().startsWith(`**${String(status)}** ${title}. `), `${code}: status and title`);
    t.true(text.includes(`\n→ ${hint}\n`), `${code}: hint`);
  }
});

test('every code on the wire is linked from the overview, and every link leads to a section', (t) => {
  const links = [...PAGE.matchAll(/\[`(\w+)`\]\(#(\w+)\)/g)].map(([, text, anchor]) => [text, anchor]);
  t.deepEqual(
    links.filter(([text, anchor]) => text !== anchor),
    [],
  );
  t.deepEqual(links.map(([text]) => text ?? '').sort(), [...CODES].sort());
});

test('every code of a command has its row with exit code and hint, and every row is a code', (t) => {
  const expected = Object.entries(COMMAND_ERRORS).map(([code, { exit, hint }]) => [code, code, String(exit), hint]);
  t.deepEqual(rows(PAGE).sort(), expected.sort());
});

test('codes on the wire and codes of commands are different words, and texts are one line', (t) => {
  t.deepEqual(
    CODES.filter((code) => Object.hasOwn(COMMAND_ERRORS, code)),
    [],
  );
  for (const { title, hint } of Object.values(WIRE_ERRORS)) t.false(/[\r\n]/.test(title + hint));
  for (const { hint } of Object.values(COMMAND_ERRORS)) t.false(/[\r\n]/.test(hint));
});

test('an AlterError has the status and the title of its code and keeps its cause to itself', (t) => {
  const cause = new Error('sk-hidden');
  const error = new AlterError('grant_expired', { detail: 'yesterday', rule: 'ttl', retryAfterS: 3, cause });
  t.like(error, {
    code: 'grant_expired',
    status: 410,
    message: 'The grant has expired',
    detail: 'yesterday',
    rule: 'ttl',
    retryAfterS: 3,
    cause,
  });
  t.false(JSON.stringify(error).includes('sk-hidden'));
  t.is(new AlterError('grant_expired').cause, undefined);
});

test('a CommandError has the exit code and, unless told otherwise, the hint of its code', (t) => {
  t.like(new CommandError('not_found', 'no such grant'), { exit: 4, hint: COMMAND_ERRORS.not_found.hint, message: 'no such grant' });
  t.is(new CommandError('not_found', 'no such grant', { hint: 'Look elsewhere.' }).hint, 'Look elsewhere.');
});
