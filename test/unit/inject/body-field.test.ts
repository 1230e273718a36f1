import test, { type ExecutionContext } from 'ava';
import { AlterError, CommandError } from '../../../src/errors.ts';
import type { InjectionRule } from '../../../src/providers/template.ts';
import { draftWithBody } from '../../support/draft-body.ts';
import { draft, injection } from '../../support/injection.ts';

const FORM: InjectionRule[] = [{ kind: 'form_field', name: 'client_secret', format: '{s}' }];
const JSON_RULE: InjectionRule[] = [{ kind: 'json_field', path: 'auth.key', format: 'v1 {s}' }];
const FORM_TYPE = 'Content-Type: application/x-www-form-urlencoded';
const JSON_TYPE = 'Content-Type: application/json';

async function sent(rules: readonly InjectionRule[], body: string | Buffer, ...lines: string[]): Promise<string> {
  const { draft: request, content } = draftWithBody('/', body, ...lines);
  await injection(rules, { s: 'a&b=c é' }).apply(request);
  return content();
}

async function refused(t: ExecutionContext, rules: readonly InjectionRule[], body: string | Buffer, ...lines: string[]): Promise<void> {
  const { draft: request, content } = draftWithBody('/', body, ...lines);
  const error = await t.throwsAsync(async () => injection(rules, { s: 'secret-value' }).apply(request), { instanceOf: AlterError });
  t.is(error.code, 'unsuitable_body');
  t.false(content().includes('secret-value'));
}

test('form: written over what the caller has there, however it is spelled; the rest stays byte for byte', async (t) => {
  const field = 'client_secret=a%26b%3Dc%20%C3%A9';
  for (const [body, expected] of [
    ['', field],
    ['a=1', `a=1&${field}`],
    ['a=1&client_secret=mine&b=%7e+%zz&&c', `a=1&${field}&b=%7e+%zz&&c`],
    ['client%5Fsecret=x&a=1&client_secret&client_secret=y', `${field}&a=1`],
    ['client_secret2=1&Client_Secret=2', `client_secret2=1&Client_Secret=2&${field}`],
    ['a=1;client_secret=mine;b=2&c', `a=1;b=2&${field}&c`],
    ['client_secret=x;client%5Fsecret=y&a=1;client_secret', `${field}&a=1`],
    ['a=1;b=2', `a=1;b=2&${field}`],
  ] as const) {
    t.is(await sent(FORM, body, FORM_TYPE), expected);
  }
  const bytes = Buffer.from([0x61, 0x3d, 0xff, 0xfe]);
  const { draft: request } = draftWithBody('/', bytes, FORM_TYPE);
  let left: Buffer = Buffer.alloc(0);
  await injection(FORM, { s: 'x' }).apply({
    ...request,
    body: {
      ...request.body,
      read: () => Promise.resolve(bytes),
      replace: (content: Buffer) => {
        left = content;
      },
    } as never,
  });
  t.deepEqual(left.subarray(0, 4), bytes);
});

test('JSON: the member is written, numbers stay', async (t) => {
  const literal = '"v1 a&b=c é"';
  t.is(await sent(JSON_RULE, '{"n":12345678901234567890}', JSON_TYPE), `{"n":12345678901234567890,"auth":{"key":${literal}}}`);
  t.is(await sent(JSON_RULE, '{"auth":{"key":"alter_grant_x"}}', JSON_TYPE), `{"auth":{"key":${literal}}}`);
  t.is(await sent([{ kind: 'json_field', path: '/a.b', format: '{s}' }], '{"ü":1}', JSON_TYPE), '{"ü":1,"a.b":"a&b=c é"}');
});

test('the type of the content decides, not its looks', async (t) => {
  for (const type of [
    ...['application/json', 'Application/JSON; charset=UTF-8', 'application/vnd.api+json;charset="utf-8";v=1'],
    ...[
      'application/json; charset=utf8',
      'application/vnd.api+json; profile="a;charset=latin1"',
      'application/json; a="\\";charset=x"; b=1',
    ],
  ])
    t.regex(await sent(JSON_RULE, '{}', `Content-Type: ${type}`), /auth/);
  t.regex(await sent(FORM, '', 'Content-Type: application/x-www-form-urlencoded;charset=utf-8'), /client_secret/);
  t.regex(await sent(FORM, '', FORM_TYPE, 'Content-Encoding: identity'), /client_secret/);
  for (const lines of [
    [],
    ['Content-Type: text/plain'],
    ['Content-Type: application/jsonx'],
    ['Content-Type: multipart/form-data; boundary=x'],
    ['Content-Type: application/json, text/plain'],
    ['Content-Type: application/json; charset=utf-16'],
    ['Content-Type: application/json; charset=utf-8; charset=utf-7'],
    ['Content-Type: application/json; a="x;charset=utf-8"; charset=utf-16'],
    ['Content-Type: application/json; a="\\\\"; charset=utf-16; b=""'],
    ['Content-Type: application/json; a="x; charset=utf-16'],
    [JSON_TYPE, JSON_TYPE],
    [JSON_TYPE, 'Content-Encoding: gzip'],
    [JSON_TYPE, 'Content-Encoding: identity', 'Content-Encoding: br'],
  ]) {
    await refused(t, JSON_RULE, '{}', ...lines);
  }
  await refused(t, FORM, '{}', JSON_TYPE);
  await refused(t, JSON_RULE, 'a=1', FORM_TYPE);
});

test('what cannot take the field is refused, and no body at all', async (t) => {
  for (const body of ['', '[]', '{"auth":1}', '{"auth":{"key":1,"key":2}}', '{', Buffer.from('{"a":"\xff"}', 'latin1')])
    await refused(t, JSON_RULE, body, JSON_TYPE);
  for (const rules of [FORM, JSON_RULE]) {
    const error = await t.throwsAsync(async () => injection(rules, { s: 'x' }).apply(draft('/', JSON_TYPE)));
    t.is((error as AlterError).code, 'unsuitable_body');
  }
});

test('the provider says how much is read; places are named', async (t) => {
  for (const [rule, cap] of [
    [{}, 1024 * 1024],
    [{ maxBytes: 10 }, 10],
  ] as const) {
    const { draft: request, caps } = draftWithBody('/', '', FORM_TYPE);
    await injection([{ kind: 'form_field', name: 'k', format: '{s}', ...rule }], { s: 'x' }).apply(request);
    t.deepEqual(caps, [cap]);
  }
  const both = injection([...FORM, { kind: 'form_field', name: 'client_id', format: '{s}' }], { s: 'x' });
  t.deepEqual(both.writes, ['body:client_secret', 'body:client_id']);
  t.true(both.readsBody);
  t.deepEqual(injection(JSON_RULE, { s: 'x' }).writes, ['body:auth.key']);
});

test('several fields go into one body; digests of what it was go', async (t) => {
  const { draft: request, content } = draftWithBody('/', 'a=1', FORM_TYPE, 'Content-MD5: x', 'Content-Digest: y', 'X-Kept: z');
  await injection([...FORM, { kind: 'form_field', name: 'client_id', format: '{s}' }], { s: 'x' }).apply(request);
  t.is(content(), 'a=1&client_secret=x&client_id=x');
  t.deepEqual(
    request.headers.names.map(({ lower }) => lower),
    ['content-type', 'x-kept'],
  );
});

test('an empty value, broken text and a path that names nothing are refused when the secret is stored', (t) => {
  t.throws(() => injection(FORM, { s: '' }), { instanceOf: CommandError });
  t.throws(() => injection(JSON_RULE, { s: '\ud800' }), { instanceOf: CommandError });
  t.throws(() => injection([{ kind: 'json_field', path: 'a..b', format: '{s}' }], { s: 'x' }), { instanceOf: CommandError });
});
