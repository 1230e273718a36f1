/** Contract: what is sent to an OAuth 2.0 token endpoint, and what of its answers counts as a token. */
import test from 'ava';
import { AlterError } from '../../../../src/errors.ts';
import { HeaderList } from '../../../../src/message/header-list.ts';
import { prepareOffline, type DerivationOptions } from '../../../../src/inject/prepare.ts';
import type { Derivation } from '../../../../src/providers/derivation.ts';
import type { ProviderTemplate } from '../../../../src/providers/template.ts';
import { Secret, reveal } from '../../../../src/secret/reveal.ts';
import {
  CLIENT_SECRET,
  clientCredentialsTemplate,
  FakeEndpoint,
  jsonAnswer,
  REFRESH_TOKEN,
  refreshTokenTemplate,
  secrets,
  sentBy,
} from '../../../support/derived.ts';
import { failureOf } from '../../../support/refusal.ts';

const URL_TEXT = 'https://auth.example.com/token';
const VALUES = { client_id: 'me:1', client_secret: `${CLIENT_SECRET}/+ &` };

async function requestOf(template: ProviderTemplate, values: Readonly<Record<string, string>> = VALUES) {
  const endpoint = new FakeEndpoint();
  await sentBy(endpoint.prepare()(template, secrets(values), endpoint.owner));
  const [request] = endpoint.requests;
  return {
    url: request?.url,
    method: request?.method,
    authorization: new HeaderList(request?.headers).get('authorization'),
    form: Object.fromEntries(new URLSearchParams(request?.body)),
  };
}

test('client credentials: by Basic with both parts form-encoded (RFC 6749 §2.3.1), or in the form', async (t) => {
  t.deepEqual(await requestOf(clientCredentialsTemplate(URL_TEXT)), {
    url: URL_TEXT,
    method: 'POST',
    authorization: `Basic ${Buffer.from(`me%3A1:${CLIENT_SECRET}%2F%2B+%26`).toString('base64')}`,
    form: { grant_type: 'client_credentials' },
  });
  t.like(await requestOf(clientCredentialsTemplate(URL_TEXT, { auth: 'body' })), {
    authorization: undefined,
    form: { grant_type: 'client_credentials', ...VALUES },
  });
});

test('scope, audience, resource and further parameters go along; what names a field that was not stored is left out', async (t) => {
  const template = clientCredentialsTemplate(URL_TEXT, {
    scope: 'a {more}',
    audience: 'https://api',
    resource: 'urn:r',
    parameters: { account_id: '{client_id}', extra: '{more}', grant_type: 'account_credentials' },
  });
  const optional = { ...template, fields: { ...template.fields, more: { label: 'More', secret: false, optional: true as const } } };
  const fixed = { audience: 'https://api', resource: 'urn:r', account_id: 'me:1', grant_type: 'account_credentials' };
  t.deepEqual((await requestOf(optional)).form, fixed);
  t.deepEqual((await requestOf(optional, { ...VALUES, more: 'b' })).form, { ...fixed, scope: 'a b', extra: 'b' });
});

test('refresh token: sent as it stands in the record now; a public client names itself in the form', async (t) => {
  const values = { client_id: 'me', client_secret: CLIENT_SECRET, refresh_token: 'older' };
  t.deepEqual((await requestOf(refreshTokenTemplate(URL_TEXT), values)).form, {
    grant_type: 'refresh_token',
    refresh_token: REFRESH_TOKEN,
  });
  const { derive, ...rest } = refreshTokenTemplate(URL_TEXT);
  const { clientSecret: _secret, ...open } = derive as Extract<Derivation, { kind: 'oauth2_refresh_token' }>;
  const request = await requestOf({ ...rest, derive: open }, { client_id: 'me', refresh_token: 'older' });
  t.deepEqual(request.form, { grant_type: 'refresh_token', refresh_token: REFRESH_TOKEN, client_id: 'me' });
  t.is(request.authorization, undefined);
});

test('the tenant in a URL comes from a field that fits its place', async (t) => {
  const fields = { tenant: { label: 'Tenant', secret: false } };
  const template = (url: string) => {
    const own = clientCredentialsTemplate(url);
    return { ...own, fields: { ...own.fields, ...fields } };
  };
  const host = template('https://{tenant}.auth.example.com/token');
  const path = template('https://auth.example.com/{tenant}/token');
  t.is((await requestOf(host, { ...VALUES, tenant: 'Acme' })).url, 'https://acme.auth.example.com/token');
  t.is((await requestOf(path, { ...VALUES, tenant: 'b3f1-x' })).url, 'https://auth.example.com/b3f1-x/token');
  for (const tenant of ['evil.com/', 'a.b', 'a@b', 'a#', '', 'ſ']) {
    t.is(failureOf(() => prepareOffline(host, secrets({ ...VALUES, tenant }))).code, 'record_invalid', tenant);
  }
  for (const tenant of ['..', '.', 'a/b', 'a?b', 'a%2Fb', '', 'a b']) {
    t.is(failureOf(() => prepareOffline(path, secrets({ ...VALUES, tenant }))).code, 'record_invalid', tenant);
  }
});

const GOOD = { access_token: 'good-token', token_type: 'Bearer', expires_in: 3600 };

async function outcomeOf(answer: ReturnType<typeof jsonAnswer>) {
  const endpoint = new FakeEndpoint();
  endpoint.answer = () => answer;
  const sent = await sentBy(endpoint.clientCredentials());
  const texts = endpoint.failures.map(({ message, detail, cause }) => `${message} ${detail ?? ''} ${String(cause)}`).join('\n');
  return { sent, texts };
}

test('answers that are a token', async (t) => {
  for (const document of [
    GOOD,
    { ...GOOD, token_type: 'bearer' },
    { ...GOOD, token_type: 'BearerToken' },
    { ...GOOD, expires_in: '3600' },
    { ...GOOD, expires_in: '3599.0' },
    { access_token: 'good-token' },
    { ...GOOD, refresh_token: null, error: null, token_type: null, expires_in: null, scope: 'x', more: {} },
    { ...GOOD, refresh_token: '', error: '', token_type: '', expires_in: '' },
  ]) {
    t.is((await outcomeOf(jsonAnswer(document))).sent, 'Authorization: Bearer good-token', JSON.stringify(document));
  }
  const typed = { ...jsonAnswer(GOOD), headers: new HeaderList(['Content-Type', 'application/vnd.auth+json; charset=utf-8']) };
  t.is((await outcomeOf(typed)).sent, 'Authorization: Bearer good-token');
});

test('answers that are none: nothing is injected, and nothing that the endpoint wrote is told', async (t) => {
  const leaky = 'leak-9f2b';
  const bodies: readonly (readonly [string, ReturnType<typeof jsonAnswer>])[] = [
    ['HTML', { ...jsonAnswer(''), headers: new HeaderList(['Content-Type', 'text/html']), body: `<html>${leaky}` }],
    ['JSON called HTML', { ...jsonAnswer(GOOD), headers: new HeaderList(['Content-Type', 'text/html']) }],
    ['no type', { ...jsonAnswer(GOOD), headers: new HeaderList([]) }],
    ['broken JSON', { ...jsonAnswer(''), body: `{"access_token":"${leaky}"` }],
    ['a list', jsonAnswer([GOOD])],
    ['a text', jsonAnswer(leaky)],
    ['no token', jsonAnswer({ token_type: 'Bearer', id_token: leaky })],
    ['an empty token', jsonAnswer({ ...GOOD, access_token: '' })],
    ['a token with a line break', jsonAnswer({ ...GOOD, access_token: `${leaky}\r\nX: y` })],
    ['a token with a space', jsonAnswer({ ...GOOD, access_token: `${leaky} x` })],
    ['a token that is a number', jsonAnswer({ ...GOOD, access_token: 7 })],
    ['a token that is too long', jsonAnswer({ ...GOOD, access_token: leaky.repeat(2000) })],
    ...['DPoP', 'mac', 'pop', 'N_A', 'Token', 'BearerTokens', 'Bearer DPoP', ['Bearer'], false, 0].map(
      (type) => [`type ${JSON.stringify(type)}`, jsonAnswer({ ...GOOD, access_token: leaky, token_type: type })] as const,
    ),
    ...[0, -1, 1e30, 'soon', '-1', '1e5', '0.0', '3599.', '3599,0', {}, true, Number.MAX_VALUE].map(
      (life) => [`life ${JSON.stringify(life)}`, jsonAnswer({ ...GOOD, access_token: leaky, expires_in: life })] as const,
    ),
    ['an error with 200', jsonAnswer({ ...GOOD, error: leaky })],
    ['an error with 200 that is no text', jsonAnswer({ ...GOOD, error: false })],
    ['an error of its own', jsonAnswer({ error: leaky, error_description: leaky }, 400)],
    ['an error that is no text', jsonAnswer({ error: { code: leaky } }, 400)],
    ['an accepted request', jsonAnswer(GOOD, 202)],
    ['a server error', jsonAnswer({ access_token: leaky }, 500)],
  ];
  for (const [name, answer] of bodies) {
    const { sent, texts } = await outcomeOf(answer);
    t.regex(sent, /^credential_unavailable:(endpoint_answer|endpoint_failed)$/, name);
    t.false(texts.includes(leaky) || texts.includes('good-token'), name);
  }
});

/** What is injected, and the refresh tokens that were stored. */
async function renewalOf(answer: ReturnType<typeof jsonAnswer>) {
  const endpoint = new FakeEndpoint();
  endpoint.answer = () => answer;
  const stored: string[] = [];
  const renew: DerivationOptions['renew'] = async (_owner, _field, work) => {
    const next = await work(new Secret(REFRESH_TOKEN));
    if (next !== undefined) stored.push(reveal(next));
  };
  const values = secrets({ client_id: 'me', client_secret: CLIENT_SECRET, refresh_token: REFRESH_TOKEN });
  const sent = await sentBy(endpoint.prepare({ renew })(refreshTokenTemplate(URL_TEXT), values, endpoint.owner));
  return { sent, stored };
}

test('a new refresh token is stored whatever is wrong with the token beside it, and only from an answer with success', async (t) => {
  const refused = { sent: 'credential_unavailable:endpoint_answer', stored: ['renewed'] };
  const renewed = { ...GOOD, refresh_token: 'renewed' };
  t.deepEqual(await renewalOf(jsonAnswer(renewed)), { sent: 'Authorization: Bearer good-token', stored: ['renewed'] });
  for (const wrong of [
    { token_type: 'bot' },
    { expires_in: 0 },
    { expires_in: -1 },
    { access_token: 'x y' },
    { access_token: undefined },
  ]) {
    t.deepEqual(await renewalOf(jsonAnswer({ ...renewed, ...wrong })), refused, JSON.stringify(wrong));
  }
  for (const kept of [GOOD, { ...GOOD, refresh_token: null }, { ...GOOD, refresh_token: '' }]) {
    t.deepEqual(await renewalOf(jsonAnswer(kept)), { sent: 'Authorization: Bearer good-token', stored: [] }, JSON.stringify(kept));
  }
  t.deepEqual(await renewalOf(jsonAnswer({ ...GOOD, refresh_token: 'a b' })), { ...refused, stored: [] });
  t.deepEqual((await renewalOf(jsonAnswer({ ...renewed, error: 'invalid_grant' }))).stored, []);
  t.deepEqual((await renewalOf(jsonAnswer(renewed, 400))).stored, []);
});

test('an error that OAuth knows is told, and nothing beside it', async (t) => {
  const { sent, texts } = await outcomeOf(jsonAnswer({ error: 'invalid_client', error_description: CLIENT_SECRET }, 401));
  t.is(sent, 'credential_unavailable:invalid_client');
  t.regex(texts, /the token endpoint auth\.example\.com answered 401 invalid_client/);
  t.false(texts.includes(CLIENT_SECRET));
});

test('an error that comes with 200 has the rule that it has with 400', async (t) => {
  for (const [error, rule] of [
    ['invalid_grant', 'invalid_grant'],
    ['bad_refresh_token', 'endpoint_failed'],
    ['invalid_grant for me', 'endpoint_failed'],
  ] as const) {
    for (const status of [200, 400]) {
      t.is((await outcomeOf(jsonAnswer({ error }, status))).sent, `credential_unavailable:${rule}`, error);
    }
  }
  t.regex((await outcomeOf(jsonAnswer({ error: 'own' }))).texts, /auth\.example\.com answered 200 with an error of its own/);
});

test('what keeps the answer away is told by its kind', async (t) => {
  for (const [code, rule] of [
    ['upstream_unreachable', 'endpoint_unreachable'],
    ['upstream_timeout', 'endpoint_timeout'],
    ['upstream_tls_failed', 'endpoint_tls'],
    ['upstream_protocol_error', 'endpoint_answer'],
    ['destination_blocked', 'endpoint_blocked'],
  ] as const) {
    const endpoint = new FakeEndpoint();
    endpoint.answer = () => Promise.reject(new AlterError(code));
    t.is(await sentBy(endpoint.clientCredentials()), `credential_unavailable:${rule}`);
  }
});

test('offline, values are checked and nothing is injected', (t) => {
  const prepared = prepareOffline(clientCredentialsTemplate(URL_TEXT), secrets(VALUES));
  t.deepEqual(prepared.writes, ['header:authorization']);
  t.throws(() => void prepared.apply(undefined as never), { instanceOf: AlterError });
  t.is(
    failureOf(() => prepareOffline(clientCredentialsTemplate(URL_TEXT), secrets({ client_id: 'me' }))).message,
    'the field client_secret is missing',
  );
  const later = { ...clientCredentialsTemplate(URL_TEXT), derive: { kind: 'later' } as unknown as Derivation };
  t.is(failureOf(() => prepareOffline(later, secrets(VALUES))).code, 'record_invalid');
});
