/** The administration of who may call, with each change recorded. What is only looked at is passed on. */
import type { ChangeAction } from '../audit/change.ts';
import type { AgentAdministration } from './agents.ts';
import type { ChangeTrail } from './change-trail.ts';
import type { IdpAdministration } from './idps.ts';
import type { CreatedKey, Keys } from './keys.ts';
import type { AgentRecord, KeyRecord } from './records.ts';

/** Keys as {@link recordedKeys} gives them. */
export type RecordedKeys = Pick<Keys, 'create' | 'deprecate' | 'rotate' | 'prolong' | 'revoke'>;

/** Agents whose changes are recorded. */
export function recordedAgents(agents: AgentAdministration, trail: ChangeTrail): AgentAdministration {
  const recorded = async (action: ChangeAction, change: Promise<AgentRecord>): Promise<AgentRecord> => {
    const agent = await change;
    await trail.record({ action, target: agent.id });
    return agent;
  };
  return {
    list: () => agents.list(),
    show: (name) => agents.show(name),
    create: (input) => recorded('agent.create', agents.create(input)),
    pause: (name) => recorded('agent.pause', agents.pause(name)),
    resume: (name) => recorded('agent.resume', agents.resume(name)),
    delete: (name) => recorded('agent.delete', agents.delete(name)),
  };
}

/** Identity providers whose changes are recorded. */
export function recordedIdps(idps: IdpAdministration, trail: ChangeTrail): IdpAdministration {
  return {
    list: () => idps.list(),
    show: (slug) => idps.show(slug),
    add: async (input) => {
      const idp = await idps.add(input);
      await trail.record({ action: 'idp.add', target: idp.id });
      return idp;
    },
    delete: async (slug, options) => {
      const idp = await idps.delete(slug, options);
      await trail.record({ action: 'idp.delete', target: idp.id });
      return idp;
    },
  };
}

/** Keys whose changes are recorded. */
export function recordedKeys(keys: Keys, trail: ChangeTrail): RecordedKeys {
  const recorded = async (action: ChangeAction, change: Promise<KeyRecord>): Promise<KeyRecord> => {
    const key = await change;
    await trail.record({ action, target: key.prefix, label: key.name, links: linksOf(key) });
    return key;
  };
  return {
    create: async (input): Promise<CreatedKey> => {
      const created = await keys.create(input);
      await trail.record({
        action: 'key.create',
        target: created.record.prefix,
        label: created.record.name,
        links: linksOf(created.record),
      });
      return created;
    },
    rotate: async (idOrName, graceMs, handOver) => {
      const created = await keys.rotate(idOrName, graceMs, handOver);
      const { record, previous } = created;
      const links = { ...linksOf(record), replaces: previous.prefix };
      await trail.record({ action: 'key.rotate', target: record.prefix, label: record.name, links });
      return created;
    },
    deprecate: (idOrName) => recorded('key.deprecate', keys.deprecate(idOrName)),
    prolong: (idOrName, ttlMs) => recorded('key.prolong', keys.prolong(idOrName, ttlMs)),
    revoke: (idOrName) => recorded('key.revoke', keys.revoke(idOrName)),
  };
}

function linksOf({ agent }: KeyRecord): Readonly<Record<string, string>> {
  return agent === undefined ? {} : { agent };
}
