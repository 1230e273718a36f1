import test from 'ava';
import { RECORD_KINDS, type RecordKind, type RecordRef } from '../../../src/store/store.ts';
import { RecordUnreadableError } from '../../../src/vault/record-unreadable.ts';
import { parseRecord } from '../../../src/vault/shapes.ts';
import { START, acme } from '../../support/vault-fixture.ts';

const times = { createdAt: START, updatedAt: START };
const GRANT = {
  v: 1,
  id: '11111111-2222-4333-8444-555555555555',
  app: 'default',
  secretId: 'ms_0123456789ABCDEFGHJKMNPQRS',
  label: 'étiquette 1',
  principal: { type: 'system' },
  policy: [{ kind: 'methods', allow: ['GET'] }],
  status: 'active',
  ...times,
};
const SECRET = {
  v: 1,
  id: GRANT.secretId,
  app: 'default',
  name: 'Acme main',
  provider: 'acme',
  fields: { token: 'value' },
  origins: ['https://api.acme.test:443'],
  policy: [],
  status: 'active',
  version: 1,
  rotatedAt: START,
  ...times,
};
const KEY = {
  v: 1,
  id: 'a'.repeat(64),
  app: 'default',
  type: 'app',
  name: 'ci',
  prefix: 'alter_key_app_abc',
  cidrs: ['10.0.0.0/8'],
  status: 'active',
  ...times,
};
const PROVIDER = { v: 1, id: 'acme', app: 'default', template: acme, ...times };
const AGENT = { v: 1, id: 'deploy-bot', app: 'default', status: 'paused', policy: [], mayIssue: [GRANT.secretId], ...times };
const IDP = {
  v: 1,
  id: 'corp',
  app: 'default',
  issuer: 'https://id.corp.test',
  audiences: ['alter'],
  algorithms: ['ES256'],
  jwks: { kind: 'discovery' },
  subjectClaim: 'sub',
  groupsClaim: 'realm_access.roles',
  ...times,
};
const POLICY = { v: 1, id: 'provider.acme', app: 'default', policy: GRANT.policy, ...times };
const HOLDER = { v: 1, id: 'b'.repeat(64), app: 'default', grants: [{ id: GRANT.id, provider: 'acme' }], ...times };
const RECORDS = { grant: GRANT, secret: SECRET, key: KEY, provider: PROVIDER, agent: AGENT, idp: IDP, policy: POLICY, holder: HOLDER };

function parse(kind: RecordKind, value: unknown): unknown {
  const ref: RecordRef = kind === 'key' ? { kind, id: 'x' } : { kind, app: 'default', id: 'x' };
  return parseRecord(kind, ref, value);
}

function faultOf(kind: RecordKind, changes: Record<string, unknown>): string {
  try {
    parse(kind, { ...RECORDS[kind], ...changes });
    return 'none';
  } catch (error) {
    if (!(error instanceof RecordUnreadableError)) throw error;
    return `${error.reason} ${error.member ?? ''}`;
  }
}

for (const kind of RECORD_KINDS) {
  test(`a whole ${kind} is read as it is, deep-frozen`, (t) => {
    const parsed = parse(kind, structuredClone(RECORDS[kind]));
    t.deepEqual(parsed, RECORDS[kind]);
    t.true(Object.isFrozen(parsed) && Object.values(parsed as object).every(Object.isFrozen));
  });

  test(`a ${kind} without one of its members, or with null in its place, is not read`, (t) => {
    for (const member of Object.keys(RECORDS[kind])) {
      t.regex(faultOf(kind, { [member]: undefined }), new RegExp(`^bad_shape (record|${member})`), member);
      t.regex(faultOf(kind, { [member]: null }), new RegExp(`^bad_shape (record|${member})`), member);
    }
  });

  test(`a ${kind} of a newer version is told from a broken one`, (t) => {
    t.is(faultOf(kind, { v: 2 }), 'newer_version v');
    for (const v of [0, -1, 1.5, '1']) t.is(faultOf(kind, { v }), 'bad_shape v');
  });
}

test('what is no object is not a record', (t) => {
  for (const value of [undefined, null, 1, 'text', [], [GRANT]])
    t.throws(() => parse('grant', value), { instanceOf: RecordUnreadableError });
});

test('ids and names have their exact forms', (t) => {
  t.is(faultOf('grant', { id: GRANT.id.toUpperCase().replace('1', 'A') }), 'bad_shape id');
  t.is(faultOf('grant', { id: `${GRANT.id}:x` }), 'bad_shape id');
  t.is(faultOf('grant', { app: 'a:b' }), 'bad_shape app');
  t.is(faultOf('grant', { secretId: 'ms_IIIIIIIIIIIIIIIIIIIIIIIIII' }), 'bad_shape secretId');
  t.is(faultOf('grant', { label: 'two\nlines' }), 'bad_shape label');
  t.is(faultOf('grant', { label: 'x'.repeat(129) }), 'bad_shape label');
  t.is(faultOf('grant', { label: 'x'.repeat(128) }), 'none');
  t.is(faultOf('secret', { name: GRANT.secretId }), 'bad_shape name');
  t.is(faultOf('secret', { provider: 'a:b' }), 'bad_shape provider');
  t.is(faultOf('key', { id: 'A'.repeat(64) }), 'bad_shape id');
  t.is(faultOf('provider', { id: 'other' }), 'bad_shape template.slug');
});

test('states and principals that are not known are not read', (t) => {
  t.is(faultOf('grant', { status: 'paused' }), 'bad_shape status');
  t.is(faultOf('key', { type: 'user' }), 'bad_shape type');
  t.is(faultOf('key', { status: 'deleted' }), 'bad_shape status');
});

test('expiry is a whole number or absent', (t) => {
  t.is(faultOf('grant', { expiresAt: START }), 'none');
  for (const expiresAt of ['1', -1, 0.5, null]) t.is(faultOf('grant', { expiresAt }), 'bad_shape expiresAt');
});

test('only exact origins in their one spelling are read', (t) => {
  t.is(faultOf('secret', { origins: ['http://[::1]:8080', 'https://a.test:443'] }), 'none');
  for (const origin of ['api.acme.test', 'https://api.acme.test', 'https://API.acme.test:443', 'https://*.acme.test:443', 1]) {
    t.is(faultOf('secret', { origins: [origin] }), 'bad_shape origins[0]', String(origin));
  }
});

test('field values are texts under field names', (t) => {
  t.is(faultOf('secret', { fields: {} }), 'none');
  t.is(faultOf('secret', { fields: { token: 1 } }), 'bad_shape fields.token');
  t.is(faultOf('secret', { fields: { 'to ken': 'x' } }), 'bad_shape fields');
  t.is(faultOf('secret', { fields: JSON.parse('{"__proto__":"x"}') as object }), 'bad_shape fields');
});

test('a rule stays as it is, also one that is not known or not whole: it denies where rules are evaluated', (t) => {
  const unknown = { kind: 'moon_phase', allow: [{ deep: true }] };
  t.like(parse('grant', { ...GRANT, policy: [unknown] }), { policy: [unknown] });
  const broken = { kind: 'methods', allow: 'GET', name: 'x', mode: 'warn' };
  t.like(parse('grant', { ...GRANT, policy: [broken] }), { policy: [broken] });
  t.is(faultOf('grant', { policy: [{ allow: [] }] }), 'bad_shape kind');
  t.is(faultOf('grant', { policy: ['methods'] }), 'bad_shape policy[0]');
});

test('a template with an injection rule that is not known, or not whole, is not read', (t) => {
  const withRule = (rule: unknown): string => faultOf('provider', { template: { ...acme, inject: [rule] } });
  t.is(withRule({ kind: 'query', name: 'key', format: '{token}' }), 'none');
  t.is(withRule({ kind: 'default_header', name: 'accept', value: '*/*' }), 'none');
  t.is(withRule({ kind: 'teleport', format: '{token}' }), 'bad_shape kind');
  t.is(withRule({ kind: 'header', format: '{token}' }), 'bad_shape name');
  t.is(withRule({ kind: 'basic', username: '{token}', password: 1 }), 'bad_shape password');
  t.is(faultOf('provider', { template: { ...acme, fields: { token: { label: 'x', secret: 'yes' } } } }), 'bad_shape fields.token.secret');
  t.is(faultOf('provider', { template: { ...acme, docs: 1 } }), 'bad_shape docs');
  const whole = { ...acme, docs: 'https://x', note: 'n', fields: { token: { label: 'x', secret: true, example: 'e' } } };
  t.like(parse('provider', { ...PROVIDER, template: whole }), { template: whole });
});

test('members that the shape does not have are left out', (t) => {
  t.deepEqual(parse('grant', { ...GRANT, surprise: true }), GRANT);
});

test('every principal is read with what names it, and nothing else authorises', (t) => {
  const principals = [
    { type: 'system' },
    { type: 'user', idp: 'corp', subject: 'u-1' },
    { type: 'group', idp: 'corp', group: 'Engineering' },
    { type: 'agent', agent: 'deploy-bot' },
  ];
  for (const principal of principals) t.is(faultOf('grant', { principal }), 'none');
  t.is(faultOf('grant', { principal: { type: 'everybody' } }), 'bad_shape type');
  t.is(faultOf('grant', { principal: { type: 'user', idp: 'corp' } }), 'bad_shape subject');
  t.is(faultOf('grant', { principal: { type: 'agent', agent: 'Deploy-Bot' } }), 'bad_shape agent');
});

test('a grant says what it came from, by exact ids', (t) => {
  for (const member of ['delegatedFrom', 'clonedFrom', 'replaces', 'replacedBy']) {
    t.is(faultOf('grant', { [member]: GRANT.id }), 'none');
    t.is(faultOf('grant', { [member]: 'x' }), `bad_shape ${member}`);
  }
});

test('a grant says that its agent issued it, or nothing', (t) => {
  t.is(faultOf('grant', { selfIssued: true }), 'none');
  for (const word of [false, 'true', 1, null]) t.is(faultOf('grant', { selfIssued: word }), 'bad_shape selfIssued');
});

test('a key of an agent names it; networks are networks, and not the whole Internet', (t) => {
  t.is(faultOf('key', { type: 'agent' }), 'bad_shape agent');
  t.is(faultOf('key', { type: 'agent', agent: 'deploy-bot', environment: 'production', status: 'deprecated' }), 'none');
  for (const cidr of ['10.0.0.1', '0.0.0.0/0', '::/0', '10.0.0.0/33', 'x']) t.is(faultOf('key', { cidrs: [cidr] }), 'bad_shape cidrs[0]');
});

test('an identity provider takes asymmetric signatures only, and some audience', (t) => {
  for (const name of ['none', 'HS256', 'rs256']) t.is(faultOf('idp', { algorithms: [name] }), 'bad_shape algorithms[0]');
  t.is(faultOf('idp', { algorithms: [] }), 'bad_shape algorithms');
  t.is(faultOf('idp', { audiences: [] }), 'bad_shape audiences');
  t.is(faultOf('idp', { jwks: { kind: 'url', url: 'keys' } }), 'bad_shape url');
  t.is(faultOf('idp', { groupsClaim: 'a..b' }), 'bad_shape groupsClaim');
});
