/** Values of a secret come from files, stdin or a hidden prompt, never from the command line, and no message repeats one. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { readSecretFields, type SecretInputOptions } from '../../../src/cli/secret-input.ts';
import type { Terminal } from '../../../src/cli/terminal.ts';
import type { ProviderTemplate } from '../../../src/providers/template.ts';
import { reveal } from '../../../src/secret/reveal.ts';
import { fakeTerminal } from '../../support/fake-terminal.ts';

const ONE: ProviderTemplate = {
  slug: 'one',
  name: 'One',
  category: 'test',
  hosts: ['api.one.test'],
  fields: { api_key: { label: 'API key', secret: true } },
  inject: [{ kind: 'bearer', format: '{api_key}' }],
  confidence: 'high',
};
const TWO: ProviderTemplate = {
  ...ONE,
  slug: 'two',
  fields: { user: { label: 'User', secret: false }, token: { label: 'Token', secret: true } },
  inject: [{ kind: 'basic', username: '{user}', password: '{token}' }],
};

type Given = Partial<SecretInputOptions>;

async function read(template: ProviderTemplate, given: Given, terminal: Terminal): Promise<Record<string, string>> {
  const fields = await readSecretFields(template, { field: [], fieldsStdin: false, ...given }, terminal);
  return Object.fromEntries(Object.entries(fields).map(([name, secret]) => [name, reveal(secret)]));
}

async function refusal(
  t: ExecutionContext,
  template: ProviderTemplate,
  given: Given,
  terminal: Terminal,
): Promise<Error & { hint: string; code: string }> {
  const error = await t.throwsAsync(read(template, given, terminal));
  return error as Error & { hint: string; code: string };
}

function file(t: ExecutionContext, content: string | Buffer): string {
  const folder = mkdtempSync(join(tmpdir(), 'alter-input-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true });
  });
  writeFileSync(join(folder, 'value'), content);
  return join(folder, 'value');
}

test('a provider with one field reads it from a pipe without being told', async (t) => {
  t.deepEqual(await read(ONE, {}, fakeTerminal({ stdin: 'sk-1\n' })), { api_key: 'sk-1' });
});

test('exactly one line break at the end is trimmed', async (t) => {
  for (const [given, kept] of [
    ['sk-1', 'sk-1'],
    ['sk-1\r\n', 'sk-1'],
    ['sk-1\n\n', 'sk-1\n'],
    [' sk-1 \n', ' sk-1 '],
    ['\nsk-1', '\nsk-1'],
  ] as const) {
    t.deepEqual(await read(ONE, {}, fakeTerminal({ stdin: given })), { api_key: kept });
  }
});

test('fields come from a file and from stdin', async (t) => {
  const path = file(t, 'me\n');
  const given = { field: [`user=@${path}`, 'token=-'] };
  t.deepEqual(await read(TWO, given, fakeTerminal({ stdin: 'tok' })), { user: 'me', token: 'tok' });
});

test('all fields come as one JSON object on stdin', async (t) => {
  const terminal = fakeTerminal({ stdin: '{"token":"t=1","user":"me"}' });
  t.deepEqual(await read(TWO, { fieldsStdin: true }, terminal), { token: 't=1', user: 'me' });
});

test('on a terminal, what is missing is asked: secrets hidden, the rest visible', async (t) => {
  const terminal = fakeTerminal({ tty: true });
  terminal.typeAfter('User (user): ', 'me\n');
  terminal.typeAfter('Token (token), hidden: ', 'tok\r');
  t.deepEqual(await read(TWO, {}, terminal), { user: 'me', token: 'tok' });
  t.false(terminal.written().stderr.includes('tok\n'));
});

test('"-" on a terminal is a hidden prompt, because reading it would show it', async (t) => {
  const terminal = fakeTerminal({ tty: true });
  terminal.typeAfter('API key (api_key), hidden: ', 'sk-typed\r');
  t.deepEqual(await read(ONE, { field: ['api_key=-'] }, terminal), { api_key: 'sk-typed' });
});

test('a field that is no secret may stand on the command line', async (t) => {
  t.deepEqual(await read(TWO, { field: ['user=me', 'token=-'] }, fakeTerminal({ stdin: 'tok' })), { user: 'me', token: 'tok' });
});

for (const spec of ['api_key=sk-live-9999', 'api_key=', 'api_key=@', 'api_key=--sk-live-9999', 'api_key= -']) {
  test(`a value on the command line is refused and not repeated: ${JSON.stringify(spec)}`, async (t) => {
    const error = await refusal(t, ONE, { field: [spec] }, fakeTerminal({ stdin: 'x' }));
    t.is(error.code, 'usage');
    t.notRegex(error.message + error.hint, /9999/);
  });
}

for (const spec of ['sk-live-9999', 'sk-live-9999=-', 'API_KEY=-', '__proto__=-', 'constructor=-', '=-']) {
  test(`a field that the provider does not have is refused and not repeated: ${spec}`, async (t) => {
    const error = await refusal(t, ONE, { field: [spec] }, fakeTerminal({ stdin: 'x' }));
    t.is(error.code, 'usage');
    t.is(error.message, '--field names no field of provider one; its fields are: api_key');
  });
}

const OPTIONAL: ProviderTemplate = {
  ...TWO,
  fields: { token: { label: 'Token', secret: true }, region: { label: 'Region', secret: false, optional: true } },
};

test('what may be left out is not missed where nobody is asked', async (t) => {
  t.deepEqual(await read(OPTIONAL, {}, fakeTerminal({ stdin: 't' })), { token: 't' });
  t.deepEqual(await read(OPTIONAL, { fieldsStdin: true }, fakeTerminal({ stdin: '{"token":"t"}' })), { token: 't' });
  t.deepEqual(await read(OPTIONAL, { field: ['region=eu'] }, fakeTerminal({ stdin: 't' })), { token: 't', region: 'eu' });
});

test('a field cannot be given twice, and stdin only once', async (t) => {
  t.is(
    (await refusal(t, ONE, { field: ['api_key=-', 'api_key=-'] }, fakeTerminal({ stdin: 'x' }))).message,
    '--field api_key is given twice',
  );
  t.regex((await refusal(t, TWO, { field: ['user=-', 'token=-'] }, fakeTerminal({ stdin: 'x' }))).message, /only one field/);
});

test('without a terminal, a missing field is named', async (t) => {
  t.is((await refusal(t, TWO, {}, fakeTerminal({ stdin: 'x' }))).message, 'no value for user, token');
  t.is((await refusal(t, TWO, { field: ['token=-'] }, fakeTerminal({ stdin: 'x' }))).message, 'no value for user');
  t.regex((await refusal(t, ONE, { field: ['api_key'] }, fakeTerminal({ stdin: 'x' }))).message, /asks on a terminal/);
});

for (const text of [
  '',
  'sk-9999',
  '["sk-9999"]',
  'null',
  '{"user":"me","token":9999}',
  '{"user":"me"}',
  '{"user":"me","token":"t","sk-9999":"x"}',
]) {
  test(`not the JSON object that is wanted, and nothing of it is repeated: ${text}`, async (t) => {
    const error = await refusal(t, TWO, { fieldsStdin: true }, fakeTerminal({ stdin: text }));
    t.is(error.code, 'usage');
    t.notRegex(error.message, /9999/);
  });
}

test('the two ways of naming fields exclude each other', async (t) => {
  t.regex((await refusal(t, ONE, { fieldsStdin: true, field: ['api_key=-'] }, fakeTerminal({ stdin: '{}' }))).message, /exclude/);
});

test('an empty value, bytes that are no text and an unreadable file are refused', async (t) => {
  t.is((await refusal(t, ONE, {}, fakeTerminal({ stdin: '\n' }))).message, 'the value of api_key is empty');
  t.is((await refusal(t, ONE, {}, fakeTerminal({ stdin: Buffer.from([0xff, 0xfe]) }))).code, 'record_invalid');
  t.is((await refusal(t, ONE, { field: ['api_key=@/nowhere/at/all'] }, fakeTerminal())).code, 'file_unreadable');
});

test('stdin without an end is not read without a bound', async (t) => {
  const error = await refusal(t, ONE, {}, fakeTerminal({ stdin: Buffer.alloc((1 << 20) + 1, 'a') }));
  t.regex(error.message, /1 MiB/);
});

const DERIVED: ProviderTemplate = {
  ...ONE,
  slug: 'derived',
  fields: {
    key: { label: 'Private key', secret: true, multiline: true },
    id: { label: 'Client ID', secret: false },
    scope: { label: 'Scope', secret: false, optional: true },
  },
};

test('an optional field may be missing, in JSON and among --field, and is left empty at the prompt', async (t) => {
  const json = { fieldsStdin: true };
  t.deepEqual(await read(DERIVED, json, fakeTerminal({ stdin: '{"key":"k","id":"i"}' })), { key: 'k', id: 'i' });
  t.deepEqual(await read(DERIVED, json, fakeTerminal({ stdin: '{"key":"k","id":"i","scope":""}' })), { key: 'k', id: 'i' });
  t.regex((await refusal(t, DERIVED, json, fakeTerminal({ stdin: '{"key":"k","scope":"s"}' }))).message, /no value for id/);
  const field = [`key=@${file(t, 'k')}`, 'id=i'];
  t.deepEqual(await read(DERIVED, { field }, fakeTerminal({ stdin: '' })), { key: 'k', id: 'i' });
  t.deepEqual(await read(DERIVED, { field: [...field, 'scope=s'] }, fakeTerminal({ stdin: '' })), { key: 'k', id: 'i', scope: 's' });
  t.regex((await refusal(t, DERIVED, { field: field.slice(0, 1) }, fakeTerminal({ stdin: '' }))).message, /no value for id/);
});

test('a value of several lines is read from a file as it is, and never typed in', async (t) => {
  const field = [`key=@${file(t, 'line 1\r\nline 2\n')}`, 'id=i'];
  t.is((await read(DERIVED, { field }, fakeTerminal({ stdin: '' })))['key'], 'line 1\r\nline 2');
  const typed = await refusal(t, DERIVED, { field: ['key', 'id=i'] }, fakeTerminal({ stdin: '' }));
  t.is(typed.code, 'usage');
  t.regex(typed.hint, /key=@<file>/);
});

const KEPT = { others: 'kept' } as const;

test('where the others are kept, only the named fields are read', async (t) => {
  const given = { ...KEPT, field: [`token=@${file(t, 'new')}`] };
  t.deepEqual(await read(TWO, given, fakeTerminal({ stdin: 'x' })), { token: 'new' });
  t.deepEqual(await read(TWO, given, fakeTerminal({ tty: true })), { token: 'new' });
  t.deepEqual(await read(TWO, { ...KEPT, field: ['token=-'] }, fakeTerminal({ stdin: 'piped' })), { token: 'piped' });
  t.regex((await refusal(t, TWO, { ...KEPT, field: ['tokens=-'] }, fakeTerminal())).message, /names no field of provider two/);
  t.is((await refusal(t, TWO, { ...KEPT, field: ['token=-'] }, fakeTerminal({ stdin: '' }))).message, 'the value of token is empty');
});

test('where the others are kept, the one field that is left still comes through a pipe, unless that is empty', async (t) => {
  const given = { ...KEPT, field: ['user=me'] };
  t.deepEqual(await read(TWO, given, fakeTerminal({ stdin: 'tok' })), { user: 'me', token: 'tok' });
  t.deepEqual(await read(TWO, given, fakeTerminal({ stdin: '' })), { user: 'me' });
  t.deepEqual(await read(TWO, given, fakeTerminal({ tty: true })), { user: 'me' });
});

test('where the others are kept, an optional field that is named with nothing is taken away', async (t) => {
  const given = { ...KEPT, field: [`scope=@${file(t, '')}`, 'id=i2'] };
  t.deepEqual(await read(DERIVED, given, fakeTerminal({ tty: true })), { scope: '', id: 'i2' });
});

test('where the others are kept and no field is named, all are asked for', async (t) => {
  t.regex((await refusal(t, TWO, KEPT, fakeTerminal({ stdin: 'x' }))).message, /no value for user, token/);
});
