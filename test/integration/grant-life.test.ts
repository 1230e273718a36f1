/**
 * Contract: whatever an operator does with a grant, its secret or the grant it was delegated from holds on the next request of a proxy whose
 * cache is hot, and every use is counted.
 */
import test from 'ava';
import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import { Secret } from '../../src/secret/secret.ts';
import { reveal } from '../../src/secret/reveal.ts';
import type { GrantPrincipal } from '../../src/vault/records.ts';
import { ConnectRefused, problemCode, requestThrough } from '../support/client.ts';
import type { ClientAnswer, ClientRequest } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startScene, type Scene } from '../support/scene.ts';
import { PATIENCE_MS } from '../support/started.ts';
import { withinLife } from '../support/within-life.ts';

const ISSUER = 'https://idp.test';

/** An identity provider that the app knows by its keys, as far as the proxy can see. */
async function identityProvider(scene: Scene): Promise<(subject: string, groups?: readonly string[]) => Promise<string>> {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' }];
  const { idps } = scene.proxy.administration;
  await idps.add({ slug: 'okta', issuer: ISSUER, audiences: ['app'], jwks: { kind: 'inline', keys } });
  return (subject, groups = []) =>
    new SignJWT({ groups: [...groups] })
      .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
      .setIssuer(ISSUER)
      .setAudience('app')
      .setSubject(subject)
      .setExpirationTime('5m')
      .sign(privateKey);
}

async function agentKey(scene: Scene, agent: string): Promise<string> {
  const { administration } = scene.proxy;
  await administration.agents.create({ name: agent });
  return reveal((await administration.createKey({ name: agent, agent })).key);
}

/** An agent that is not active does not even get its connection. */
async function answerTo({ proxy }: Scene, request: ClientRequest): Promise<ClientAnswer> {
  try {
    return await requestThrough(proxy, request);
  } catch (error) {
    if (error instanceof ConnectRefused) return error.answer;
    throw error;
  }
}

/** What the proxy answers to the grant: the status of the API, or its own code. */
async function use(
  scene: Scene,
  grant: string,
  options: { readonly key?: string; readonly token?: string; readonly method?: string } = {},
) {
  const { key, token, method } = options;
  const answer = await answerTo(scene, {
    url: `${scene.origin.url}/echo`,
    grant,
    ...(key === undefined ? {} : { key }),
    ...(method === undefined ? {} : { method }),
    headers: token === undefined ? [] : ['X-Alter-User-Token', token],
  });
  return answer.status === 200 ? '200' : problemCode(answer);
}

let scene: Scene;
test.before(async () => {
  scene = await startScene();
});
test.after.always(() => scene.stop());

test.serial('every grant of a rotated secret uses the new value on the next request', async (t) => {
  const { administration } = scene.proxy;
  const first = await scene.grant({ value: 'sk-before' });
  const { secretId } = await administration.showGrant(first);
  const others = await Promise.all(['a', 'b'].map((label) => administration.issueGrant({ secret: secretId, label })));
  const grants = [first, ...others.map(({ id }) => id), (await administration.cloneGrant(first)).id];
  const sent = async (grant: string) => {
    t.is(await use(scene, grant), '200');
    return scene.origin.requests.at(-1)?.headers.authorization;
  };
  for (const grant of grants) t.is(await sent(grant), 'Bearer sk-before');
  await administration.rotateSecret(secretId, { token: new Secret('sk-after') });
  for (const grant of grants) t.is(await sent(grant), 'Bearer sk-after');
});

test.serial('a revoked grant, and one of a revoked secret, is refused at once and works again once it is reactivated', async (t) => {
  const { administration } = scene.proxy;
  const grant = await scene.grant();
  const { secretId } = await administration.showGrant(grant);
  t.is(await use(scene, grant), '200');
  await administration.revokeGrant(grant);
  t.is(await use(scene, grant), 'grant_revoked');
  await administration.reactivateGrant(grant);
  t.is(await use(scene, grant), '200');
  await administration.revokeSecret(secretId);
  t.is(await use(scene, grant), 'credential_revoked');
  await administration.rotateSecret(secretId, { token: new Secret('sk-new') });
  t.is(await use(scene, grant), 'credential_revoked', 'a new value alone does not bring it back');
  await administration.reactivateSecret(secretId);
  t.is(await use(scene, grant), '200');
  t.is(scene.origin.requests.at(-1)?.headers.authorization, 'Bearer sk-new');
  await administration.deleteGrant(grant);
  t.is(await use(scene, grant), 'grant_deleted');
});

test.serial('a regenerated grant: the old id is dead at once, or when its grace is over', async (t) => {
  const { administration } = scene.proxy;
  const old = await scene.grant();
  t.is(await use(scene, old), '200');
  const next = await administration.regenerateGrant(old);
  t.is(await use(scene, old), 'grant_deleted');
  t.is(await use(scene, next.id), '200');
  let last = next.id;
  const { replaced, answers } = await withinLife(1500, async (graceMs) => {
    const replaced = last;
    last = (await administration.regenerateGrant(replaced, { graceMs })).id;
    return { replaced, answers: [await use(scene, replaced), await use(scene, last)] };
  });
  t.deepEqual(answers, ['200', '200']);
  await eventually(async () => (await use(scene, replaced)) === 'grant_expired' || undefined, 'the end of the grace', PATIENCE_MS);
  t.is(await use(scene, last), '200');
});

test.serial('a delegation works for its agent on behalf of the user only, and only as long as all of the chain stands', async (t) => {
  const { administration } = scene.proxy;
  const tokenOf = await identityProvider(scene);
  const bot = await agentKey(scene, 'bot');
  const other = await agentKey(scene, 'other');
  const { secretId } = await administration.showGrant(await scene.grant());
  const policy = [{ kind: 'methods', allow: ['GET'] }] as const;
  const issue = async (principal: Parameters<typeof administration.issueGrant>[0]['principal'] & object) => {
    const source = await administration.issueGrant({ secret: secretId, label: 'source', principal, policy });
    return { source: source.id, delegation: (await administration.delegateGrant(source.id, { agent: 'bot' })).id };
  };
  const { source, delegation } = await issue({ type: 'user', idp: 'okta', subject: 'ann' });
  const ann = await tokenOf('ann');
  const asBot = () => use(scene, delegation, { key: bot, token: ann });

  t.is(await asBot(), '200');
  t.is(await use(scene, delegation, { key: bot }), 'user_token_required');
  t.is(await use(scene, delegation, { key: bot, token: await tokenOf('bob') }), 'principal_mismatch');
  t.is(await use(scene, delegation, { key: bot, token: 'x.y.z' }), 'user_token_invalid');
  t.is(await use(scene, delegation, { key: other, token: ann }), 'principal_mismatch');
  t.is(await use(scene, delegation, { token: ann }), 'principal_mismatch', 'with the key of the app');
  t.is(await use(scene, delegation, { key: bot, token: ann, method: 'POST' }), 'policy_violation', 'the rules of the source hold');

  await administration.revokeGrant(source);
  t.is(await asBot(), 'grant_revoked');
  await administration.reactivateGrant(source);
  t.is(await asBot(), '200');
  await administration.revokeGrant(delegation);
  t.is(await asBot(), 'grant_revoked');
  t.is(await use(scene, source, { token: ann }), '200', 'the source is untouched');
  await administration.reactivateGrant(delegation);
  await administration.agents.pause('bot');
  t.is(await asBot(), 'agent_inactive');
  await administration.agents.resume('bot');
  t.is(await asBot(), '200');

  const ofGroup = await issue({ type: 'group', idp: 'okta', group: 'staff' });
  const inGroup = async (...groups: string[]) => use(scene, ofGroup.delegation, { key: bot, token: await tokenOf('ann', groups) });
  t.is(await inGroup('staff', 'x'), '200');
  t.is(await inGroup('x'), 'principal_mismatch', 'no member any more');
  await administration.deleteGrant(ofGroup.source);
  t.is(await inGroup('staff'), 'grant_deleted');
  await administration.deleteGrant(source);
  t.is(await asBot(), 'grant_deleted');
});

test.serial(
  'agents.need_delegation, from a reload on: the token of a user opens an agent nothing but what was delegated to it',
  async (t) => {
    const there = await startScene();
    t.teardown(() => there.stop());
    const { administration } = there.proxy;
    const tokenOf = await identityProvider(there);
    const key = await agentKey(there, 'bot');
    const { secretId } = await administration.showGrant(await there.grant());
    const issue = async (principal: GrantPrincipal) =>
      (await administration.issueGrant({ secret: secretId, label: 'source', principal })).id;
    const ofUser = await issue({ type: 'user', idp: 'okta', subject: 'ann' });
    const ofGroup = await issue({ type: 'group', idp: 'okta', group: 'staff' });
    const delegation = (await administration.delegateGrant(ofUser, { agent: 'bot' })).id;
    await administration.setPolicy({ at: 'grant', grant: delegation }, [{ kind: 'methods', allow: ['GET'] }]);
    const token = await tokenOf('ann', ['staff']);
    const byProvider = async (byKey?: string) => {
      const headers = ['X-Alter-User-Token', token, 'X-Alter-Provider', 'custom-bearer'];
      return answerTo(there, { url: `${there.origin.url}/echo`, headers, ...(byKey === undefined ? {} : { key: byKey }) });
    };

    t.is(await use(there, delegation, { key, token, method: 'POST' }), 'policy_violation');
    for (const source of [ofUser, ofGroup]) t.is(await use(there, source, { key, token, method: 'POST' }), '200', 'the default');
    t.is((await byProvider(key)).status, 200);

    await there.reset({ agents: { need_delegation: true } });
    for (const source of [ofUser, ofGroup]) t.is(await use(there, source, { key, token }), 'principal_mismatch');
    const refused = await answerTo(there, { url: `${there.origin.url}/echo`, grant: ofUser, key, headers: ['X-Alter-User-Token', token] });
    t.is(refused.status, 403);
    t.regex(refused.body, /agents\.need_delegation/);
    const searched = await byProvider(key);
    t.deepEqual([searched.status, problemCode(searched)], [404, 'grant_not_found']);
    t.regex(searched.body, /agents\.need_delegation/);
    t.is(await use(there, delegation, { key, token }), '200');
    t.is(await use(there, ofUser, { token }), '200', 'with the key of the app');
    t.is((await byProvider()).status, 200);
    await administration.revokeGrant(delegation);
    for (const id of [delegation, ofUser]) t.not(await use(there, id, { key, token }), '200');
  },
);

test.serial('a clone ends with its source, and of many changes each has its result', async (t) => {
  const { administration } = scene.proxy;
  const other = await scene.grant({ ttlMs: 3_600_000 });
  await t.throwsAsync(administration.cloneGrant(other, { ttlMs: 7_200_000 }), { code: 'not_allowed' });
  const { source, clone, answers } = await withinLife(1500, async (ttlMs) => {
    const source = await scene.grant({ ttlMs });
    const clone = await administration.cloneGrant(source);
    return { source, clone, answers: [await use(scene, source), await use(scene, clone.id)] };
  });
  t.deepEqual(answers, ['200', '200']);
  t.is(await use(scene, other), '200');
  await eventually(async () => (await use(scene, clone.id)) === 'grant_expired' || undefined, 'the end of the clone', PATIENCE_MS);
  t.is(await use(scene, source), 'grant_expired');
  await administration.deleteGrant(clone.id);
  const results = await administration.changeGrants([other, clone.id, '0b54d9c5-6c1c-4c1e-9d3c-0a9a5e2f7b11'], 'revoke');
  t.deepEqual(
    results.map((result) => (result.ok ? result.changed : result.error.code)),
    [true, false, 'not_found'],
  );
  t.is(await use(scene, other), 'grant_revoked');
  t.is(await use(scene, clone.id), 'grant_deleted');
});

test.serial('uses are counted, refused requests are not', async (t) => {
  const counting = await startScene();
  t.teardown(() => counting.stop());
  const { administration, store } = counting.proxy;
  const grant = await counting.grant();
  const before = Date.now();
  for (let n = 0; n < 3; n++) t.is(await use(counting, grant), '200');
  await administration.revokeGrant(grant);
  t.is(await use(counting, grant), 'grant_revoked');
  await counting.proxy.running.stop();
  const [uses] = await store.readUses('default', [grant]);
  t.is(uses?.count, 3);
  t.true((uses?.lastAt ?? 0) >= before && (uses?.lastAt ?? 0) <= Date.now());
  t.like(await administration.viewGrant(grant), { uses: 3, lastUsedAt: uses?.lastAt });
});
