import test from 'ava';
import { parseAlterHeaders, parseProxyAuthorization } from '../../../src/message/alter-headers.ts';
import { headers } from '../../support/headers.ts';
import { refusalOf } from '../../support/refusal.ts';

const ID = '0b8f5a2e-6c1d-4f3a-9b7e-2d4c6e8f0a1b';
const NONE = { grantId: undefined, provider: undefined, userToken: undefined, reason: undefined, caller: undefined, context: undefined };
const KEY = 'alter_key_app_0123456789';
const base64 = (text: string): string => Buffer.from(text).toString('base64');

test('a request without the fields has none', (t) => {
  t.deepEqual(parseAlterHeaders(headers('Host: a', 'X-Alternative: b', 'x_alternative: c', 'X_Alter_Unknown: d')), NONE);
});

test('all fields in any case', (t) => {
  t.deepEqual(
    parseAlterHeaders(
      headers(
        `x-ALTER-grant: ${ID.toUpperCase()}`,
        'X-Alter-User-Token: a.b.c',
        'X-Alter-Reason: nightly report',
        'x-alter-caller: reporter',
        'X-Alter-Context: run=7, tool.name=fetch-it,empty=,eq=a=b',
      ),
    ),
    {
      grantId: ID,
      provider: undefined,
      userToken: 'a.b.c',
      reason: 'nightly report',
      caller: 'reporter',
      context: { run: '7', 'tool.name': 'fetch-it', empty: '', eq: 'a=b' },
    },
  );
});

for (const [name, lines] of [
  ['not a UUID', ['X-Alter-Grant: 7']],
  ['empty', ['X-Alter-Grant:']],
  ['two different ones', [`X-Alter-Grant: ${ID}`, `X-Alter-Grant: ${ID.replace('0', '1')}`]],
  ['two equal ones', [`X-Alter-Grant: ${ID}`, `x-alter-grant: ${ID}`]],
  ['a list', [`X-Alter-Grant: ${ID}, ${ID}`]],
  ['a trailing comma', [`X-Alter-Grant: ${ID},`]],
  ['braces', [`X-Alter-Grant: {${ID}}`]],
] as const) {
  test(`X-Alter-Grant, ${name}: invalid_grant_id`, (t) => {
    t.is(refusalOf(() => parseAlterHeaders(headers(...lines))).code, 'invalid_grant_id');
  });
}

test('a name with underscores, which would be removed unread, is refused with the right one', (t) => {
  for (const [line, name] of [
    [`X_Alter_Grant: ${ID}`, 'X-Alter-Grant'],
    [`x-alter_grant: ${ID}`, 'X-Alter-Grant'],
    ['X_ALTER_PROVIDER: acme', 'X-Alter-Provider'],
    ['X-Alter-User_Token: a', 'X-Alter-User-Token'],
    ['X_Alter_Reason: because', 'X-Alter-Reason'],
    ['X_Alter_Caller: me', 'X-Alter-Caller'],
    ['X_Alter_Context: a=1', 'X-Alter-Context'],
  ] as const) {
    const { code, detail } = refusalOf(() => parseAlterHeaders(headers(line, 'X-Alter-Unknown: 1')));
    t.deepEqual([code, detail], ['malformed_request', `${name} is spelled with dashes, not with underscores`], line);
  }
});

test('a misspelled name is refused before any value is looked at, wherever it stands', (t) => {
  const lines = ['X-Alter-Grant: 7', 'X-Alter-Reason: a', 'X-Alter-Reason: b', 'X_Alter_Caller: me'];
  t.like(
    refusalOf(() => parseAlterHeaders(headers(...lines))),
    {
      code: 'malformed_request',
      detail: 'X-Alter-Caller is spelled with dashes, not with underscores',
    },
  );
});

test('of several fields that are wrong, the grant is refused first, then provider, token, reason, caller and context', (t) => {
  const wrong = ['X-Alter-Grant', 'X-Alter-Provider', 'X-Alter-User-Token', 'X-Alter-Reason', 'X-Alter-Caller', 'X-Alter-Context'];
  for (let i = 0; i < wrong.length; i += 1) {
    const lines = wrong
      .slice(i)
      .reverse()
      .flatMap((name) => [`${name}: a`, `${name}: a`]);
    const { detail } = refusalOf(() => parseAlterHeaders(headers(...lines)));
    t.is(detail, `there must be one ${wrong[i] ?? ''} field at most`);
  }
});

test('a user token is one text without spaces', (t) => {
  for (const lines of [['X-Alter-User-Token: a', 'X-Alter-User-Token: a'], ['X-Alter-User-Token: a b'], ['X-Alter-User-Token:']]) {
    t.is(refusalOf(() => parseAlterHeaders(headers(...lines))).code, 'user_token_invalid');
  }
});

test('a reason has up to 512 characters, a caller up to 128', (t) => {
  t.is(parseAlterHeaders(headers(`X-Alter-Reason: ${'r'.repeat(512)}`)).reason?.length, 512);
  t.is(parseAlterHeaders(headers(`X-Alter-Caller: ${'c'.repeat(128)}`)).caller?.length, 128);
  t.is(refusalOf(() => parseAlterHeaders(headers(`X-Alter-Reason: ${'r'.repeat(513)}`))).code, 'malformed_request');
  t.is(refusalOf(() => parseAlterHeaders(headers(`X-Alter-Caller: ${'c'.repeat(129)}`))).code, 'malformed_request');
});

test('a reason in UTF-8 is read as such and counted in characters; other bytes are latin1', (t) => {
  const wire = Buffer.from('größer'.repeat(80)).toString('latin1');
  t.is(parseAlterHeaders(headers(`X-Alter-Reason: ${wire}`)).reason, 'größer'.repeat(80));
  t.is(parseAlterHeaders(headers('X-Alter-Reason: gr\xf6\xdfer')).reason, 'größer');
});

for (const line of [
  'X-Alter-Reason: a\tb',
  'X-Alter-Reason: a\x1b[31m',
  `X-Alter-Reason: ${Buffer.from('a\u0085b').toString('latin1')}`,
  'X-Alter-Caller: a\nb',
  'X-Alter-Context: a=b\tc',
]) {
  test(`a control character is refused: ${JSON.stringify(line)}`, (t) => {
    t.is(refusalOf(() => parseAlterHeaders(headers(line))).code, 'malformed_request');
  });
}

test('a grant is named by its id or by its provider, not by both', (t) => {
  t.like(parseAlterHeaders(headers('X-Alter-Provider: google-gemini', 'X-Alter-User-Token: a.b.c')), {
    grantId: undefined,
    provider: 'google-gemini',
  });
  t.is(refusalOf(() => parseAlterHeaders(headers(`X-Alter-Grant: ${ID}`, 'X-Alter-Provider: openai'))).code, 'ambiguous_grant');
});

test('X-Alter-Provider is one slug', (t) => {
  for (const wrong of ['', 'Open-AI', 'a b', 'a:b', '-a', 'a,b', 'a'.repeat(65), '../x']) {
    t.is(refusalOf(() => parseAlterHeaders(headers(`X-Alter-Provider: ${wrong}`))).code, 'malformed_request', wrong);
  }
  t.is(refusalOf(() => parseAlterHeaders(headers('X-Alter-Provider: a', 'X-Alter-Provider: a'))).code, 'malformed_request');
});

test('empty free text is no text', (t) => {
  t.deepEqual(parseAlterHeaders(headers('X-Alter-Reason:', 'X-Alter-Caller:', 'X-Alter-Context:')), NONE);
});

test('fields that may stand once are refused twice', (t) => {
  for (const name of ['X-Alter-Reason', 'X-Alter-Caller', 'X-Alter-Context']) {
    t.is(refusalOf(() => parseAlterHeaders(headers(`${name}: a=b`, `${name}: c=d`))).code, 'malformed_request', name);
  }
});

test('a context has up to 16 pairs of bounded size', (t) => {
  const pairs = (count: number): string => Array.from({ length: count }, (_, i) => `k${i}=v`).join(',');
  t.is(Object.keys(parseAlterHeaders(headers(`X-Alter-Context: ${pairs(16)}`)).context ?? {}).length, 16);
  const names = [`${'n'.repeat(64)}=${'v'.repeat(256)}`];
  t.notThrows(() => parseAlterHeaders(headers(`X-Alter-Context: ${names.join(',')}`)));
  for (const bad of [pairs(17), `${'n'.repeat(65)}=v`, `n=${'v'.repeat(257)}`, 'a', '=v', 'a=1,', 'a=1,,b=2', 'a b=1', 'ä=1', 'a=1,a=2']) {
    t.is(refusalOf(() => parseAlterHeaders(headers(`X-Alter-Context: ${bad}`))).code, 'malformed_request', bad);
  }
});

test('a context name can be any word without touching what objects inherit', (t) => {
  const { context } = parseAlterHeaders(headers('X-Alter-Context: __proto__=x,constructor=y'));
  t.deepEqual(Object.entries(context ?? {}), [
    ['__proto__', 'x'],
    ['constructor', 'y'],
  ]);
  t.is(Object.getPrototypeOf(context), Object.prototype);
});

test('the key is the password of Basic, or the token of Bearer', (t) => {
  t.is(parseProxyAuthorization(headers('Host: a')), undefined);
  t.is(parseProxyAuthorization(headers(`Proxy-Authorization: Basic ${base64(`x:${KEY}`)}`)), KEY);
  t.is(parseProxyAuthorization(headers(`proxy-authorization: bASIC ${base64(`anything at all:${KEY}:more`)}`)), `${KEY}:more`);
  t.is(parseProxyAuthorization(headers(`Proxy-Authorization: Bearer ${KEY}`)), KEY);
});

test('with an empty password a user name that is a key counts', (t) => {
  t.is(parseProxyAuthorization(headers(`Proxy-Authorization: Basic ${base64(`${KEY}:`)}`)), KEY);
  t.is(refusalOf(() => parseProxyAuthorization(headers(`Proxy-Authorization: Basic ${base64('somebody:')}`))).code, 'invalid_key');
});

for (const value of [
  '',
  'Basic',
  'Basic ',
  'Basic !!!',
  `Basic ${base64('no-colon')}`,
  'Bearer',
  'Bearer a b',
  `Digest ${KEY}`,
  KEY,
  `Bearer ${KEY}\t`,
]) {
  test(`Proxy-Authorization ${JSON.stringify(value)}: invalid_key`, (t) => {
    t.is(refusalOf(() => parseProxyAuthorization(headers(`Proxy-Authorization: ${value}`))).code, 'invalid_key');
  });
}

test('two keys are refused, even equal ones, and the refusal does not tell them', (t) => {
  const refusal = refusalOf(() =>
    parseProxyAuthorization(headers(`Proxy-Authorization: Bearer ${KEY}`, `Proxy-Authorization: Bearer ${KEY}`)),
  );
  t.is(refusal.code, 'invalid_key');
  t.false(refusal.detail.includes(KEY));
});
