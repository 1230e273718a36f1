import test from 'ava';
import { VaultFixture, codeOf } from '../../support/vault-fixture.ts';

const RULES = [{ kind: 'methods', allow: ['GET'] }];
const withFixture = test.macro(async (t, run: (fixture: VaultFixture, t: import('ava').ExecutionContext) => Promise<void>) => {
  const fixture = new VaultFixture();
  t.teardown(() => {
    fixture.remove();
  });
  await run(fixture, t);
});

test('rules are set, shown, listed and cleared at every place', withFixture, async (fixture: VaultFixture, t) => {
  const { grantId, secretId } = await fixture.grant();
  const administration = fixture.administration();
  t.deepEqual(await administration.listPolicies(), []);
  const places = [
    [{ at: 'app' }, ''],
    [{ at: 'provider', slug: 'acme' }, 'acme'],
    [{ at: 'secret', secret: 'acme main' }, secretId],
    [{ at: 'grant', grant: grantId.toUpperCase() }, grantId],
  ] as const;
  for (const [target, id] of places) {
    t.deepEqual((await administration.showPolicy(target)).rules, []);
    t.like(await administration.setPolicy(target, RULES), { at: target.at, id, rules: RULES });
    t.deepEqual((await administration.showPolicy(target)).rules, RULES);
  }
  t.deepEqual(
    (await administration.listPolicies()).map(({ at, id }) => `${at} ${id}`),
    places.map(([{ at }, id]) => `${at} ${id}`),
  );
  for (const [target] of places) await administration.setPolicy(target, []);
  t.deepEqual(await administration.listPolicies(), []);
});

test('what does not exist has no policy', withFixture, async (fixture: VaultFixture, t) => {
  await fixture.grant();
  const administration = fixture.administration();
  for (const target of [
    { at: 'provider', slug: 'acmee' },
    { at: 'provider', slug: '../acme' },
    { at: 'secret', secret: 'acme' },
    { at: 'agent', agent: 'crawler' },
    { at: 'agent', agent: 'Crawler:x' },
    { at: 'grant', grant: '0b54d9c5-6c1c-4c1e-9d3c-0a9a5e2f7b11' },
    { at: 'grant', grant: 'x' },
  ] as const) {
    t.is(await codeOf(() => administration.setPolicy(target, RULES)), 'not_found', JSON.stringify(target));
    t.is(await codeOf(() => administration.showPolicy(target)), 'not_found');
  }
});

test('an agent that was deleted gets no rules any more', withFixture, async (fixture: VaultFixture, t) => {
  const administration = await fixture.people();
  const target = { at: 'agent', agent: 'bot' } as const;
  await administration.setPolicy(target, RULES);
  await administration.agents.delete('bot');
  for (const rules of [RULES, []]) t.is(await codeOf(() => administration.setPolicy(target, rules)), 'not_found');
  t.deepEqual((await administration.showPolicy(target)).rules, RULES);
});

test('a rule that this version could not evaluate is not stored, and its place is told', withFixture, async (fixture: VaultFixture, t) => {
  const { grantId, secretId } = await fixture.grant();
  const administration = fixture.administration();
  const bad = [...RULES, { kind: 'cel', expression: 'request.methd == "GET"' }];
  const error = await t.throwsAsync(() => administration.setPolicy({ at: 'grant', grant: grantId }, bad));
  t.regex(error.message, /^rules\[1\]\.expression .*methd.*column 9/);
  t.is(await codeOf(() => administration.setPolicy({ at: 'app' }, [{ kind: 'quota' }])), 'record_invalid');
  t.is(await codeOf(() => administration.issueGrant({ secret: secretId, label: 'x', policy: bad })), 'record_invalid');
  t.deepEqual(await administration.listPolicies(), []);
});

test('another app has its own policies', withFixture, async (fixture: VaultFixture, t) => {
  await fixture.administration().setPolicy({ at: 'app' }, RULES);
  t.deepEqual((await fixture.administration({ app: 'other' }).showPolicy({ at: 'app' })).rules, []);
});

test('two who set the policy of an app at the same time leave one of the two whole', withFixture, async (fixture: VaultFixture, t) => {
  const administration = fixture.administration();
  const other = [{ kind: 'methods', allow: ['POST'] }];
  await Promise.all([administration.setPolicy({ at: 'app' }, RULES), administration.setPolicy({ at: 'app' }, other)]);
  const { rules } = await administration.showPolicy({ at: 'app' });
  t.true([RULES, other].some((candidate) => JSON.stringify(candidate) === JSON.stringify(rules)));
});
