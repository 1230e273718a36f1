/** Contract: one segment of the path is written where the rule says; the rest of the path stays, and no credential in it is recorded. */
import test from 'ava';
import { HeaderList } from '../../../src/message/header-list.ts';
import { canonicalUrl, formatTarget } from '../../../src/message/url.ts';
import { lines } from '../../support/headers.ts';
import { draft, injection } from '../../support/injection.ts';
import { failureOf } from '../../support/refusal.ts';

const GRANT = 'alter_grant_11111111-2222-4333-8444-555555555555';
const TELEGRAM = [{ kind: 'path', format: 'bot{token}', under: '/file' }] as const;
const BARE = [{ kind: 'path', format: '{token}' }] as const;
const TOKEN = '12345:AbC-d_E';

for (const [before, after] of [
  [`/bot${GRANT}/getMe`, `/bot${TOKEN}/getMe`],
  [`/BOT${GRANT.toUpperCase()}/getMe`, `/bot${TOKEN}/getMe`],
  ['/bot999:mine/getMe', `/bot${TOKEN}/getMe`],
  ['/%62ot999%3Amine/getMe', `/bot${TOKEN}/getMe`],
  ['/getMe', `/bot${TOKEN}/getMe`],
  ['/getMe?a=bot1', `/bot${TOKEN}/getMe?a=bot1`],
  ['/', `/bot${TOKEN}/`],
  ['/bot/getMe', `/bot${TOKEN}/bot/getMe`],
  [`/file/bot${GRANT}/a/b.jpg`, `/file/bot${TOKEN}/a/b.jpg`],
  ['/file/a/b.jpg', `/file/bot${TOKEN}/a/b.jpg`],
  ['/file', `/bot${TOKEN}/file`],
  ['/files/a', `/bot${TOKEN}/files/a`],
  [`/x/bot${GRANT}/y`, `/bot${TOKEN}/x/bot${GRANT}/y`],
] as const) {
  test(`${before} becomes ${after}`, async (t) => {
    const request = draft(before);
    await injection(TELEGRAM, { token: TOKEN }).apply(request);
    t.is(formatTarget(request.url), after);
  });
}

test('a credential without constant text takes the place of a placeholder only', async (t) => {
  for (const [before, after] of [
    [`/${GRANT}/v1`, '/sk/v1'],
    [`/x${GRANT}/v1`, `/sk/x${GRANT}/v1`],
    ['/v1', '/sk/v1'],
  ] as const) {
    const request = draft(before);
    await injection(BARE, { token: 'sk' }).apply(request);
    t.is(formatTarget(request.url), after);
  }
});

test('what would end a segment is percent-encoded, and the result is a canonical path', async (t) => {
  const request = draft('/v1');
  await injection(BARE, { token: "a/b?c#d%e ü:@!$&'()*+,;=" }).apply(request);
  t.is(request.url.path, "/a%2Fb%3Fc%23d%25e%20%C3%BC:@!$&'()*+,;=/v1");
  t.is(canonicalUrl(request.url.path).path, request.url.path);
});

for (const token of ['', '.', '..', '..;x', 'a\\b', '%2e%2e', 'a\r\n', '\ud800']) {
  test(`the value ${JSON.stringify(token)} is refused when prepared`, (t) => {
    t.is(failureOf(() => injection(BARE, { token })).code, 'record_invalid');
  });
}

test('the path that is recorded shows the form of the credential, whatever stood there', (t) => {
  const { redactPath, writes } = injection(TELEGRAM, { token: TOKEN });
  t.deepEqual(writes, ['path']);
  for (const [path, recorded] of [
    ['/bot999:secret/getMe', '/bot{token}/getMe'],
    [`/bot${GRANT}/getMe`, '/bot{token}/getMe'],
    ['/file/bot999:secret/x', '/file/bot{token}/x'],
    ['/getMe', '/getMe'],
    ['/', '/'],
  ] as const) {
    t.is(redactPath?.(path), recorded);
  }
  t.is(injection([{ kind: 'bearer', format: '{token}' }], { token: TOKEN }).redactPath, undefined);
});

test('the path that rules judge is the same with and without a segment of the caller', (t) => {
  const { judgedUrl, apply } = injection(TELEGRAM, { token: TOKEN });
  const judgedPath = (path: string) => judgedUrl?.({ path, query: 'bot=1' });
  const sent = (path: string): string => {
    const request = draft(path);
    void apply(request);
    return request.url.path;
  };
  for (const [judged, ...spellings] of [
    ['/getMe', '/getMe', `/bot${GRANT}/getMe`, '/bot999:secret/getMe', '/BOTx/getMe'],
    ['/file/x', '/file/x', '/file/botx/x'],
    ['/a/bot1/b', '/a/bot1/b', '/botx/a/bot1/b'],
    ['/', '/', '/botx/'],
  ] as const) {
    for (const spelling of spellings) t.deepEqual(judgedPath(spelling), { path: judged, query: 'bot=1' }, spelling);
    t.is(new Set(spellings.map(sent)).size, 1);
  }
  t.is(judgedPath('/botx')?.path, '/');
  t.is(injection([{ kind: 'bearer', format: '{token}' }], { token: TOKEN }).judgedUrl, undefined);
});

test('an answer that repeats the token is scrubbed', (t) => {
  const list = new HeaderList(['Location', `https://x.test/bot${TOKEN}/a`, 'x', encodeURIComponent(TOKEN), 'ok', '12345']);
  injection(TELEGRAM, { token: TOKEN }).scrub(list);
  t.deepEqual(lines(list), ['ok: 12345']);
});
