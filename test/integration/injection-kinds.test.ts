/**
 * Contract: whatever way a credential goes in, a real HTTPS API sees it exactly once, nothing of the caller's own is left in its place, the
 * client never gets it back in a header, and the audit event names the place and no value.
 */
import test from 'ava';
import type { InjectionRule } from '../../src/providers/template.ts';
import { problemCode, requestThrough } from '../support/client.ts';
import { template } from '../support/injection.ts';
import { startScene } from '../support/scene.ts';
import type { Scene } from '../support/scene.ts';

const TOKEN = '4242:Kinds-credential_9f2b';

let scene: Scene;
test.before(async () => {
  scene = await startScene({
    origin: {
      handler: (message, response) => {
        if (message.url?.includes('/leak') !== true) return false;
        const seen = [message.url, message.headers.cookie ?? '', message.headers.authorization ?? ''];
        response.writeHead(302, { Location: seen[0] ?? '', 'X-Cookie': seen[1] ?? '', 'X-Auth': seen[2] ?? '', 'X-Kept': 'yes' });
        response.end();
        return true;
      },
    },
  });
});
test.after.always(async () => {
  await scene.stop();
});

let serial = 0;

function grantFor(inject: readonly InjectionRule[], value = TOKEN): Promise<string> {
  serial += 1;
  const values = { token: value };
  const made = { ...template(inject, values), slug: `kind-${String(serial)}`, hosts: ['localhost'] };
  return scene.grant({ template: made, fields: values });
}

const PATH = [{ kind: 'path', format: 'bot{token}', under: '/file' }] as const;

test.serial('path: the caller writes the placeholder where the token would stand, or leaves it out', async (t) => {
  const grant = await grantFor(PATH);
  for (const [path, options, sent] of [
    [`/botalter_grant_${grant}/echo`, {}, `/bot${TOKEN}/echo`],
    ['/echo?a=1', { grant }, `/bot${TOKEN}/echo?a=1`],
    [`/file/botalter_grant_${grant}/a.jpg`, {}, `/file/bot${TOKEN}/a.jpg`],
  ] as const) {
    const answer = await requestThrough(scene.proxy, { url: `${scene.origin.url}${path}`, ...options });
    t.is(scene.origin.requests.at(-1)?.url, sent);
    const event = await scene.proxy.eventOf(answer);
    t.like(event, { injected: ['path'], grantId: grant });
    t.false(JSON.stringify(event).includes(TOKEN));
  }
});

test.serial("path: a token of the caller's own is replaced, and not recorded", async (t) => {
  const grant = await grantFor(PATH);
  const answer = await requestThrough(scene.proxy, { url: `${scene.origin.url}/bot777:own-token/echo`, grant });
  t.is(scene.origin.requests.at(-1)?.url, `/bot${TOKEN}/echo`);
  const event = await scene.proxy.eventOf(answer);
  t.is(event.path, '/bot{token}/echo');
  t.false(JSON.stringify(event).includes('own-token'));
  t.false(scene.proxy.logged().includes('own-token'));
});

test.serial('path: a placeholder anywhere else is refused', async (t) => {
  const grant = await grantFor(PATH);
  const before = scene.origin.requests.length;
  for (const path of [`/x/botalter_grant_${grant}`, `/getMe/alter_grant_${grant}`, `/alter_grant_${grant}/getMe`]) {
    const answer = await requestThrough(scene.proxy, { url: `${scene.origin.url}${path}` });
    t.is(`${String(answer.status)} ${problemCode(answer)}`, '400 placeholder_not_replaced', path);
  }
  t.is(scene.origin.requests.length, before);
});

test.serial('cookie: one is written, the others stay; the caller may name the grant in its place', async (t) => {
  const value = 'Kinds-credential_9f2b';
  const grant = await grantFor([{ kind: 'cookie', name: 'sid', format: '{token}' }], value);
  for (const [headers, options] of [
    [['Cookie', 'a=1; SID=mine; b=2', 'cookie', 'sid=again'], { grant }],
    [['Cookie', `a=1; sid=alter_grant_${grant}; b=2`], {}],
  ] as const) {
    const answer = await requestThrough(scene.proxy, { url: `${scene.origin.url}/echo`, headers: [...headers], ...options });
    t.is(answer.status, 200);
    const seen = scene.origin.requests.at(-1)?.rawHeaders ?? [];
    t.deepEqual(
      seen.filter((_, index) => index % 2 === 1 && seen[index - 1]?.toLowerCase() === 'cookie'),
      [`a=1; b=2; sid=${value}`],
    );
    t.deepEqual((await scene.proxy.eventOf(answer)).injected, ['cookie:sid']);
  }
  const elsewhere = await requestThrough(scene.proxy, {
    url: `${scene.origin.url}/echo`,
    headers: ['Cookie', `other=alter_grant_${grant}`],
  });
  t.is(problemCode(elsewhere), 'placeholder_not_replaced');
});

test.serial('basic, encoded already: sent as stored', async (t) => {
  const value = Buffer.from('user:kinds-password').toString('base64');
  const grant = await grantFor([{ kind: 'basic_encoded', format: '{token}' }], value);
  const answer = await requestThrough(scene.proxy, {
    url: `${scene.origin.url}/echo`,
    headers: ['Authorization', 'Basic bWluZTo='],
    grant,
  });
  t.is(answer.status, 200);
  t.is(scene.origin.requests.at(-1)?.headers.authorization, `Basic ${value}`);
});

test.serial('several at once, with constants that yield', async (t) => {
  const grant = await grantFor([
    { kind: 'bearer', format: '{token}' },
    { kind: 'header', name: 'X-Key', format: 'k {token}' },
    { kind: 'query', name: 'key', format: '{token}' },
    { kind: 'default_header', name: 'X-Version', value: '1' },
    { kind: 'default_header', name: 'X-Other', value: '1' },
  ]);
  const answer = await requestThrough(scene.proxy, { url: `${scene.origin.url}/echo?key=mine&a=1`, headers: ['X-Version', '2'], grant });
  const seen = scene.origin.requests.at(-1);
  t.is(seen?.url, `/echo?a=1&key=${encodeURIComponent(TOKEN)}`);
  t.like(seen?.headers, { authorization: `Bearer ${TOKEN}`, 'x-key': `k ${TOKEN}`, 'x-version': '2', 'x-other': '1' });
  t.deepEqual((await scene.proxy.eventOf(answer)).injected, ['header:authorization', 'header:x-key', 'query:key']);
});

test.serial('an answer that repeats the credential in a header is scrubbed, whatever the kind', async (t) => {
  const encoded = Buffer.from('user:kinds-password').toString('base64');
  for (const [inject, value] of [
    [PATH, TOKEN],
    [[{ kind: 'cookie', name: 'sid', format: '{token}' }], 'Kinds-credential_9f2b'],
    [[{ kind: 'basic_encoded', format: '{token}' }], encoded],
  ] as const) {
    const grant = await grantFor(inject, value);
    const answer = await requestThrough(scene.proxy, { url: `${scene.origin.url}/leak`, grant });
    t.is(answer.status, 302);
    t.is(answer.headers['x-kept'], 'yes');
    t.false(JSON.stringify(answer.headers).includes(value), inject[0].kind);
  }
});
