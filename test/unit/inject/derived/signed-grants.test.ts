/** Contract: a GitHub App and a Google service account prove themselves with a JWT that the other side can verify, and get what they ask for. */
import { SignJWT, jwtVerify } from 'jose';
import test from 'ava';
import { HeaderList } from '../../../../src/message/header-list.ts';
import { prepareOffline } from '../../../../src/inject/prepare.ts';
import type { Derivation } from '../../../../src/providers/derivation.ts';
import type { ProviderTemplate } from '../../../../src/providers/template.ts';
import { derivedTemplate, FakeEndpoint, jsonAnswer, rsaPair, secrets, sentBy } from '../../../support/derived.ts';
import { failureOf } from '../../../support/refusal.ts';

const pair = rsaPair();
const NOW = 1_790_000_000_000;

const APP = { app_id: '12345', private_key: pair.pkcs8, installation_id: '987' };
const githubTemplate = (more: Partial<Derivation> = {}): ProviderTemplate =>
  derivedTemplate(
    { kind: 'github_app', appId: '{app_id}', privateKey: '{private_key}', installationId: '{installation_id}', ...more } as Derivation,
    ['app_id', 'private_key', 'installation_id'],
  );
const githubAnswer = () =>
  jsonAnswer({ token: 'ghs_abc', expires_at: '2026-09-21T15:13:20Z' }, 201, ['Date', 'Mon, 21 Sep 2026 14:13:20 GMT']);

async function exchanged(template: ProviderTemplate, values: Readonly<Record<string, string>>, answer: FakeEndpoint['answer']) {
  const endpoint = new FakeEndpoint();
  endpoint.now = NOW;
  endpoint.answer = answer;
  const injection = endpoint.prepare()(template, secrets(values), endpoint.owner);
  const sent = await sentBy(injection);
  const [request] = endpoint.requests;
  return { sent, request, headers: new HeaderList(request?.headers), injection, endpoint };
}

test('GitHub: an RS256 JWT of the app gets an installation token', async (t) => {
  for (const key of [pair.pkcs8, pair.pkcs1, pair.pkcs1.replaceAll('\n', '\\n')]) {
    const { sent, request, headers } = await exchanged(githubTemplate(), { ...APP, private_key: key }, githubAnswer);
    t.is(sent, 'Authorization: Bearer ghs_abc');
    t.is(request?.url, 'https://api.github.com/app/installations/987/access_tokens');
    t.is(request?.body, '{}');
    t.is(headers.get('user-agent'), 'alter-proxy');
    const jwt = headers.get('authorization')?.replace('Bearer ', '') ?? '';
    const { payload, protectedHeader } = await jwtVerify(jwt, pair.publicKey, { currentDate: new Date(NOW), issuer: '12345' });
    t.deepEqual(payload, { iss: '12345', iat: NOW / 1000 - 60, exp: NOW / 1000 + 540 });
    t.is(protectedHeader.alg, 'RS256');
  }
});

test('GitHub: a server of their own, repositories and permissions', async (t) => {
  const template = githubTemplate({
    apiUrl: 'https://github.example.com/api/v3',
    repositories: 'one, two',
    permissions: { contents: 'read', issues: 'write' },
  });
  const { request } = await exchanged(template, APP, githubAnswer);
  t.is(request?.url, 'https://github.example.com/api/v3/app/installations/987/access_tokens');
  t.deepEqual(JSON.parse(request?.body ?? ''), { repositories: ['one', 'two'], permissions: { contents: 'read', issues: 'write' } });
});

test("GitHub: the life of a token counts by GitHub's clock", async (t) => {
  const late = await exchanged(githubTemplate(), APP, () =>
    jsonAnswer({ token: 'ghs_abc', expires_at: '2030-01-01T01:00:00Z' }, 201, ['Date', 'Tue, 01 Jan 2030 00:00:00 GMT']),
  );
  late.endpoint.now += 3_539_999;
  t.is(late.injection.apply({ headers: new HeaderList() } as never), undefined);
  for (const expires of ['2030-01-01T00:00:00Z', 'soon', 7, undefined, '9999-01-01T00:00:00Z']) {
    const { sent } = await exchanged(githubTemplate(), APP, () =>
      jsonAnswer({ token: 'ghs_abc', expires_at: expires }, 201, ['Date', 'Tue, 01 Jan 2030 00:00:00 GMT']),
    );
    t.is(sent, 'credential_unavailable:endpoint_answer', String(expires));
  }
});

test('GitHub: what GitHub says of a refusal is not told', async (t) => {
  const { sent, endpoint } = await exchanged(githubTemplate(), APP, () => jsonAnswer({ message: 'leak-9f2b' }, 401));
  t.is(sent, 'credential_unavailable:endpoint_failed');
  t.is(endpoint.failures[0]?.detail, 'the token endpoint api.github.com answered 401');
});

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';
const ACCOUNT = {
  type: 'service_account',
  client_email: 'bot@proj.iam.gserviceaccount.com',
  private_key: pair.pkcs8,
  private_key_id: 'kid-1',
};
const googleTemplate = (more: Partial<Derivation> = { scope: SCOPE }): ProviderTemplate =>
  derivedTemplate({ kind: 'google_service_account', serviceAccount: '{key_file}', ...more } as Derivation, ['key_file'], {}, [
    { kind: 'bearer', format: 'targetAudience' in more ? '{id_token}' : '{access_token}' },
  ]);

test('Google: the key file of a service account becomes a JWT bearer grant', async (t) => {
  // The endpoint is the one of the provider, whatever the file says.
  const file = JSON.stringify({ ...ACCOUNT, token_uri: 'https://evil.example.com/token' }, undefined, 2);
  const { sent, request } = await exchanged(googleTemplate({ scope: SCOPE, subject: 'ceo@example.com' }), { key_file: file }, () =>
    jsonAnswer({ access_token: 'ya29.abc', token_type: 'Bearer', expires_in: 3599 }),
  );
  t.is(sent, 'Authorization: Bearer ya29.abc');
  t.is(request?.url, 'https://oauth2.googleapis.com/token');
  const form = new URLSearchParams(request?.body);
  t.is(form.get('grant_type'), 'urn:ietf:params:oauth:grant-type:jwt-bearer');
  const audience = 'https://oauth2.googleapis.com/token';
  const { payload, protectedHeader } = await jwtVerify(form.get('assertion') ?? '', pair.publicKey, {
    currentDate: new Date(NOW),
    audience,
  });
  t.deepEqual(payload, {
    ...{ iss: ACCOUNT.client_email, aud: audience, scope: SCOPE, sub: 'ceo@example.com' },
    ...{ iat: NOW / 1000 - 30, exp: NOW / 1000 + 3570 },
  });
  t.is(protectedHeader.kid, 'kid-1');
});

test('Google: mail and key by themselves, and an ID token that says when it ends', async (t) => {
  const derive = {
    kind: 'google_service_account',
    clientEmail: '{email}',
    privateKey: '{key}',
    targetAudience: 'https://run.app',
  } as const;
  const template = derivedTemplate(derive, ['email', 'key'], {}, [{ kind: 'bearer', format: '{id_token}' }]);
  const values = { email: ACCOUNT.client_email, key: pair.pkcs1 };
  const token = (exp: number) => new SignJWT({}).setProtectedHeader({ alg: 'HS256' }).setExpirationTime(exp).sign(new Uint8Array(32));
  const good = await token(NOW / 1000 + 3600);
  const { sent, request } = await exchanged(template, values, () => jsonAnswer({ id_token: good }));
  t.is(sent, `Authorization: Bearer ${good}`);
  const assertion = new URLSearchParams(request?.body).get('assertion') ?? '';
  t.is((await jwtVerify(assertion, pair.publicKey, { currentDate: new Date(NOW) })).payload['target_audience'], 'https://run.app');
  for (const bad of [await token(NOW / 1000), 'no.jwt.here', 'x']) {
    t.is((await exchanged(template, values, () => jsonAnswer({ id_token: bad }))).sent, 'credential_unavailable:endpoint_answer');
  }
});

test('keys and files with which nothing can be signed are refused when they are stored, and nothing of them is quoted', (t) => {
  const small = rsaPair(1024);
  for (const key of ['x', small.pkcs8, pair.pkcs8.slice(0, -200), '-----BEGIN PRIVATE KEY-----\nMIIleak\n-----END PRIVATE KEY-----']) {
    const { code, message } = failureOf(() => prepareOffline(githubTemplate(), secrets({ ...APP, private_key: key })));
    t.is(code, 'record_invalid');
    t.false(message.includes('MII'));
  }
  for (const id of ['', '1/2', '../1', 'x']) {
    t.is(failureOf(() => prepareOffline(githubTemplate(), secrets({ ...APP, installation_id: id }))).code, 'record_invalid', id);
  }
  for (const file of [
    '{',
    '[]',
    '7',
    'null',
    JSON.stringify({ ...ACCOUNT, type: 'authorized_user' }),
    JSON.stringify({ ...ACCOUNT, private_key: 7 }),
  ]) {
    t.is(failureOf(() => prepareOffline(googleTemplate(), secrets({ key_file: file }))).code, 'record_invalid', file.slice(0, 20));
  }
});
