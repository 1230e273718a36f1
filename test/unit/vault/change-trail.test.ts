/** Contract: every change of a grant, secret or provider is recorded with its ids and the names of what changed, and never with a value. */
import test from 'ava';
import { CommandError } from '../../../src/errors.ts';
import { reveal } from '../../../src/secret/reveal.ts';
import { Secret } from '../../../src/secret/secret.ts';
import { START, VALUE, acme } from '../../support/vault-fixture.ts';
import { peopled } from '../../support/with-fixture.ts';

test('each change is one event that links the records', peopled, async (t, _administration, fixture) => {
  const administration = fixture.administration({ by: 'operator:ann' });
  const before = (await fixture.changes()).length;
  const secret = (await administration.showSecret('shared')).id;
  const grant = await administration.issueGrant({ secret, label: 'x', principal: { type: 'user', idp: 'okta', subject: 'ann' } });
  const clone = await administration.cloneGrant(grant.id);
  const delegation = await administration.delegateGrant(grant.id, { agent: 'bot' });
  await administration.editGrant(clone.id, { label: 'y', ttlMs: 1000 });
  await administration.revokeGrant(clone.id);
  await administration.reactivateGrant(clone.id);
  const next = await administration.regenerateGrant(clone.id);
  await administration.deleteGrant(next.id);
  await administration.rotateSecret(secret, { token: new Secret(`${VALUE}-2`) });
  await administration.editSecret(secret, { maxTtlS: 60 });
  await administration.revokeSecret(secret);
  await administration.reactivateSecret(secret);
  await administration.addProvider({ ...acme, slug: 'mine' });
  await administration.deleteProvider('mine');
  await administration.deleteSecret(secret);
  const events = (await fixture.changes()).slice(before);
  t.deepEqual(
    events.map(({ action, target, links, members }) => [action, target, links, members]),
    [
      ['grant.issue', grant.id, { secret }, []],
      ['grant.clone', clone.id, { source: grant.id, secret }, []],
      ['grant.delegate', delegation.id, { source: grant.id, secret, agent: 'bot' }, []],
      ['grant.edit', clone.id, {}, ['label', 'expiresAt']],
      ['grant.revoke', clone.id, {}, ['status']],
      ['grant.reactivate', clone.id, {}, ['status']],
      ['grant.regenerate', next.id, { replaces: clone.id, secret }, []],
      ['grant.delete', next.id, {}, ['status']],
      ['secret.rotate', secret, {}, ['fields']],
      ['secret.edit', secret, {}, ['maxTtlS']],
      ['secret.revoke', secret, {}, ['status']],
      ['secret.reactivate', secret, {}, ['status']],
      ['provider.add', 'mine', {}, []],
      ['provider.delete', 'mine', {}, []],
      ['secret.delete', secret, {}, ['status', 'fields']],
    ],
  );
  for (const event of events)
    t.like(event, { v: 1, type: 'change', app: 'default', by: 'operator:ann', start: new Date(START).toISOString() });
  t.is(new Set(events.map(({ id }) => id)).size, events.length);
  t.false(JSON.stringify(events).includes(VALUE));
});

test('what changes nothing, or is refused, is no event', peopled, async (t, administration, fixture) => {
  const grant = await administration.issueGrant({ secret: 'shared', label: 'x' });
  const before = (await fixture.changes()).length;
  await administration.reactivateGrant(grant.id);
  await administration.editGrant(grant.id, { label: 'x' });
  await administration.reactivateSecret('shared');
  await administration.editSecret('shared', { maxTtlS: 'none' });
  await administration.changeGrants([grant.id], 'revoke', { dryRun: true });
  await t.throwsAsync(administration.delegateGrant(grant.id, { agent: 'bot' }));
  await t.throwsAsync(administration.issueGrant({ secret: 'nobody', label: 'x' }));
  t.is((await fixture.changes()).length, before);
});

test('a change that cannot be recorded stands, and the command says so', peopled, async (t, administration, fixture) => {
  const grant = await administration.issueGrant({ secret: 'shared', label: 'x' });
  fixture.store.appendEvents = () => Promise.reject(new Error('the stream is gone'));
  const error = await t.throwsAsync(administration.revokeGrant(grant.id), { instanceOf: CommandError });
  t.is(error.code, 'store_unreachable');
  t.regex(error.message, /was done, but could not be recorded/);
  t.is((await administration.showGrant(grant.id)).status, 'revoked');
});

test(
  'changes of agents, keys and identity providers are recorded; a key is told by its prefix only',
  peopled,
  async (t, administration, fixture) => {
    const before = (await fixture.changes()).length;
    await administration.agents.create({ name: 'new' });
    await administration.agents.pause('new');
    await administration.agents.resume('new');
    const { key, record } = await administration.createKey({ name: 'k', agent: 'new' });
    const rotated = await administration.rotateKey(record.id, 1000);
    await administration.deprecateKey(rotated.record.id);
    await administration.prolongKey(rotated.record.id, 1000);
    await administration.revokeKey(rotated.record.id);
    await administration.agents.delete('new');
    await administration.idps.delete('okta');
    await administration.agents.list();
    const events = (await fixture.changes()).slice(before);
    t.deepEqual(
      events.map(({ action, target, links }) => [action, target, links]),
      [
        ['agent.create', 'new', {}],
        ['agent.pause', 'new', {}],
        ['agent.resume', 'new', {}],
        ['key.create', record.prefix, { agent: 'new' }],
        ['key.rotate', rotated.record.prefix, { agent: 'new', replaces: record.prefix }],
        ['key.deprecate', rotated.record.prefix, { agent: 'new' }],
        ['key.prolong', rotated.record.prefix, { agent: 'new' }],
        ['key.revoke', rotated.record.prefix, { agent: 'new' }],
        ['agent.delete', 'new', {}],
        ['idp.delete', 'okta', {}],
      ],
    );
    t.false(JSON.stringify(events).includes(reveal(key)));
  },
);
