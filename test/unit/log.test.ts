import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { CommandError } from '../../src/errors.ts';
import { createLogger, type LogLevel } from '../../src/log.ts';
import { Secret } from '../../src/secret/secret.ts';

const KEY = 'alter_key_app_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG';
const PASSWORD = 'correct-horse-battery-staple';

function collecting(level: LogLevel = 'info') {
  const stream = new PassThrough();
  const log = createLogger(level, stream);
  const text = (): string => (stream.read() as Buffer | null)?.toString('utf8') ?? '';
  const lines = (): Record<string, unknown>[] =>
    text()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { log, text, lines };
}

/** The fields as they come out. */
function printed(fields: object, level: LogLevel = 'info'): Record<string, unknown> {
  const { log, lines } = collecting(level);
  log.error(fields, 'x');
  const [line] = lines();
  const { level: _level, time: _time, pid: _pid, msg: _msg, ...rest } = line ?? {};
  return rest;
}

test('a line is JSON with level, ISO time, process id, fields and message', (t) => {
  const { log, lines } = collecting();
  log.warn({ host: 'api.example.com', port: 443, ok: true, none: null }, 'slow');
  const [line] = lines();
  t.like(line, { level: 'warn', pid: process.pid, host: 'api.example.com', port: 443, ok: true, none: null, msg: 'slow' });
  t.regex(String(line?.['time']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

test('each level writes itself and what is more severe', (t) => {
  const written = (level: LogLevel) => {
    const { log, lines } = collecting(level);
    for (const name of ['error', 'warn', 'info', 'debug'] as const) log[name]({}, name);
    return lines().map(({ msg }) => msg);
  };
  t.deepEqual(written('silent'), []);
  t.deepEqual(written('error'), ['error']);
  t.deepEqual(written('warn'), ['error', 'warn']);
  t.deepEqual(written('info'), ['error', 'warn', 'info']);
  t.deepEqual(written('debug'), ['error', 'warn', 'info', 'debug']);
});

test('a child adds its fields, and the level is changed for all of the family', (t) => {
  const { log, lines } = collecting('warn');
  const child = log.child({ part: 'store', id: 1 }).child({ id: 2 });
  child.info({}, 'unheard');
  log.setLevel('info');
  child.info({ more: 3 }, 'heard');
  child.setLevel('error');
  log.warn({}, 'unheard');
  t.is(lines().map(({ level: _l, time: _t, pid: _p, ...rest }) => rest).length, 1);
  child.error({}, 'again');
  t.like(lines()[0], { part: 'store', id: 2, msg: 'again' });
});

test('a Secret prints [redacted] wherever it stands', (t) => {
  const secret = new Secret(PASSWORD);
  const error = Object.assign(new Error('x'), { detail: secret, other: secret, cause: { secret } });
  const fields = { secret, nested: { list: [{ secret }] }, map: new Map([['a', secret]]), set: new Set([secret]), err: error };
  const result = printed(fields, 'debug');
  t.like(result, { secret: '[redacted]', nested: { list: [{ secret: '[redacted]' }] }, map: { a: '[redacted]' }, set: ['[redacted]'] });
  t.like(result['err'], { detail: '[redacted]', cause: { secret: '[redacted]' } });
  t.false(JSON.stringify(result).includes(PASSWORD));
});

test('values of credential headers are redacted, in mappings and in flat lists, in any spelling', (t) => {
  const names = [
    'Authorization',
    'proxy-authorization',
    'COOKIE',
    'Set-Cookie',
    'X-Api-Key',
    'x_api_key',
    'X-Alter-User-Token',
    'apiKey',
    'accessToken',
    'client_secret',
    'password',
  ];
  for (const name of names) {
    t.deepEqual(printed({ headers: { [name]: PASSWORD } }), { headers: { [name]: '[redacted]' } }, name);
    t.deepEqual(printed({ headers: ['Accept', '*/*', name, PASSWORD] }), { headers: ['Accept', '*/*', name, '[redacted]'] }, name);
    t.deepEqual(printed({ headers: [[name, PASSWORD]] }), { headers: [[name, '[redacted]']] }, name);
    t.deepEqual(printed({ [name]: { inner: [PASSWORD] } }), { [name]: '[redacted]' }, name);
  }
  const innocent = { accept: 'a', 'x-request-id': 'b', secret: 'ms_01', keyId: 'c', author: 'd', cookies: 3 };
  t.deepEqual(printed(innocent), innocent);
});

test('texts of credential shape are masked in fields, names, messages and children', (t) => {
  const cases: readonly (readonly [string, string])[] = [
    [`key ${KEY}.`, 'key alter_key_app_[redacted].'],
    ['Authorization: Bearer sk-live-12345678', 'Authorization: Bearer [redacted]'],
    ['basic dXNlcjpwYXNzd29yZA==', 'basic [redacted]'],
    ['http://x:hunter2@127.0.0.1:7890/a', 'http://[redacted]@127.0.0.1:7890/a'],
    ['redis://hunter2@localhost', 'redis://[redacted]@localhost'],
    ['jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl end', 'jwt [redacted] end'],
    ['-----BEGIN EC PRIVATE KEY-----\nabc\n-----END EC PRIVATE KEY-----\n', '[redacted]\n'],
    ['-----BEGIN PRIVATE KEY-----\nabc', '[redacted]'],
  ];
  for (const [text, masked] of cases) {
    const { log, lines } = collecting();
    log.child({ c: text }).info({ a: text, [text]: 1 }, text);
    t.like(lines()[0], { a: masked, c: masked, [masked]: 1, msg: masked });
  }
});

test('what only looks a little like a credential stays readable', (t) => {
  const texts = [
    'alter_key_app_Ab3xY9',
    'basic authentication failed',
    'the bearer credential is missing',
    'token expired',
    'https://api.example.com/a@b',
    'mail to ann@example.com',
    '-----BEGIN CERTIFICATE-----',
    'eyJ',
  ];
  for (const text of texts) t.deepEqual(printed({ text }), { text });
});

test('an error is its type, code, message, hint and causes; its stack only at debug', (t) => {
  const root = Object.assign(new Error(`connect ${KEY}`), { code: 'ECONNREFUSED', syscall: 'connect', address: '192.0.2.1', port: 6379 });
  const error = new CommandError('store_unreachable', 'the store does not answer', { cause: new TypeError('middle', { cause: root }) });
  const expected = {
    type: 'CommandError',
    message: 'the store does not answer',
    code: 'store_unreachable',
    hint: 'Check that the store runs and that its address and password are right.',
    cause: {
      type: 'TypeError',
      message: 'middle',
      cause: {
        type: 'Error',
        message: 'connect alter_key_app_[redacted]',
        code: 'ECONNREFUSED',
        syscall: 'connect',
        address: '192.0.2.1',
        port: 6379,
      },
    },
  };
  t.deepEqual(printed({ err: error }), { err: expected });
  t.deepEqual(printed(error), { err: expected });
  const { err } = printed({ err: error }, 'debug') as { err: { stack: string; cause: { cause: { stack: string } } } };
  t.regex(err.stack, /^CommandError: the store does not answer\n\s+at /);
  t.false(err.cause.cause.stack.includes(KEY));
});

test('what libraries hang on their errors is not written', (t) => {
  const error = Object.assign(new Error('ReplyError'), {
    command: { name: 'set', args: ['k', PASSWORD] },
    request: { headers: { a: PASSWORD } },
  });
  t.deepEqual(printed({ error }), { error: { type: 'Error', message: 'ReplyError' } });
  const many = new AggregateError([new Error('one'), new Error('two')], 'all failed');
  t.like(printed({ err: many })['err'], { message: 'all failed', errors: [{ message: 'one' }, { message: 'two' }] });
});

test('bytes, functions and foreign objects are named, not written', (t) => {
  class Session {
    readonly token = PASSWORD;
  }
  const fields = {
    bytes: Buffer.from(PASSWORD),
    call: () => PASSWORD,
    session: new Session(),
    big: 5n,
    at: new Date(0),
    bare: Object.assign(Object.create(null) as object, { a: 1 }),
  };
  t.deepEqual(printed(fields), {
    bytes: '[28 bytes]',
    call: '[function]',
    session: '[Session]',
    big: '5',
    at: '1970-01-01T00:00:00.000Z',
    bare: { a: 1 },
  });
});

test('fields that cannot be printed do not take the line with them', (t) => {
  const loop: Record<string, unknown> = { name: 'loop' };
  loop['self'] = loop;
  const throwing = {
    get value(): string {
      throw new Error('no');
    },
  };
  const deep = JSON.parse('['.repeat(50) + ']'.repeat(50)) as unknown;
  const result = printed({ loop, throwing, deep, twice: [loop['name'], loop['name']] });
  t.like(result, { loop: { name: 'loop', self: '[circular]' }, throwing: '[unprintable]', twice: ['loop', 'loop'] });
  t.true(JSON.stringify(result['deep']).includes('[nested too deeply]'));
});

test('a field cannot pass for a part of the line itself, nor break it', (t) => {
  const { log, text } = collecting();
  log.info({ level: 'error', time: 1, msg: 'forged', pid: 1, note: 'a\n{"level":"error"}' }, 'real\nline');
  const written = text();
  t.is(written.trimEnd().split('\n').length, 1);
  t.is(written.match(/"level":/g)?.length, 1);
  t.like(JSON.parse(written) as object, { level: 'info', field_level: 'error', field_msg: 'forged', msg: 'real\nline', pid: process.pid });
});

test('a file descriptor is written at once', (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'alter-log-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'log');
  const descriptor = openSync(file, 'w');
  createLogger('info', descriptor).info({}, 'now');
  t.regex(readFileSync(file, 'utf8'), /"msg":"now"\}\n$/);
  closeSync(descriptor);
});

test('lines go to standard error, and none is lost when the process ends right after', (t) => {
  const module = fileURLToPath(new URL('../../src/log.js', import.meta.url));
  const script = `const { createLogger } = await import(${JSON.stringify(module)});
    const log = createLogger('info');
    for (let i = 0; i < 2000; i++) log.info({ i }, 'x'.repeat(100));
    process.exit(3);`;
  const child = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
    timeout: 30_000,
    maxBuffer: 16_777_216,
  });
  t.is(child.status, 3);
  t.is(child.stdout, '');
  t.is(child.stderr.trimEnd().split('\n').length, 2000);
});

test('masking stays fast on hostile text', (t) => {
  const started = Date.now();
  for (const part of [
    'eyJ-',
    'eyJaaaaaaaa.',
    'Bearer ',
    'Bearer a',
    '//',
    '//a',
    'alter_key_',
    'alter_key_a',
    '-----BEGIN PRIVATE KEY-----',
    ' ',
  ]) {
    printed({ text: part.repeat(Math.ceil(65_536 / part.length)) });
  }
  t.true(Date.now() - started < 5000);
});
