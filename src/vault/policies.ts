import { CommandError, notFound } from '../errors.ts';
import { parseUuid } from '../message/uuid.ts';
import { faultOfRule } from '../policy/compile.ts';
import type { Place, Rule } from '../policy/rules.ts';
import type { ChangeTrail } from './change-trail.ts';
import { notAllowed } from './grants/context.ts';
import { isAgentName, isSlug } from './names.ts';
import { RECORD_VERSION } from './records.ts';
import type { AgentRecord, GrantRecord, PolicyRecord } from './records.ts';
import type { SecretFacts } from './resolved.ts';
import type { SealedRecords } from './sealed-records.ts';

/** What a policy is attached to. */
export type PolicyTarget =
  | { readonly at: 'app' }
  | { readonly at: 'provider'; readonly slug: string }
  /** By id or name. */
  | { readonly at: 'secret'; readonly secret: string }
  | { readonly at: 'agent'; readonly agent: string }
  | { readonly at: 'grant'; readonly grant: string };

/** The rules at one place. */
export interface AttachedPolicy {
  readonly at: Place;
  /** Slug, id of the secret, name of the agent, or id of the grant; empty for the app. */
  readonly id: string;
  /** What people call it. */
  readonly name: string;
  readonly rules: readonly Rule[];
}

/** What the administration of policies needs. */
export interface PoliciesOptions {
  readonly records: SealedRecords;
  /** Rejects with CommandError `not_found`. */
  readonly findSecret: (idOrName: string) => Promise<SecretFacts>;
  /** Rejects with CommandError `not_found`. */
  readonly findProvider: (slug: string) => Promise<unknown>;
  /** Where changes are recorded. */
  readonly trail: ChangeTrail;
  readonly now: () => number;
}

/** The policies of one app, wherever they are attached. */
export class Policies {
  readonly #options: PoliciesOptions;

  constructor(options: PoliciesOptions) {
    this.#options = options;
  }

  /** The rules at a place; none when nothing was ever attached. Rejects with `not_found` for a place that does not exist. */
  async show(target: PolicyTarget): Promise<AttachedPolicy> {
    const { records } = this.#options;
    switch (target.at) {
      case 'app':
        return this.#showOuter('app', '', await records.read('policy', 'app'));
      case 'provider':
        await this.#knownProvider(target.slug);
        return this.#showOuter('provider', target.slug, await records.read('policy', `provider.${target.slug}`));
      case 'secret': {
        const secret = await this.#options.findSecret(target.secret);
        return { at: 'secret', id: secret.id, name: secret.name, rules: secret.policy };
      }
      case 'agent': {
        const agent = isAgentName(target.agent) ? (await records.read('agent', target.agent))?.record : undefined;
        if (agent === undefined) throw notFound('agent', target.agent);
        return { at: 'agent', id: agent.id, name: agent.id, rules: agent.policy };
      }
      case 'grant': {
        const id = parseUuid(target.grant);
        const grant = id === undefined ? undefined : (await records.read('grant', id))?.record;
        if (grant === undefined) throw notFound('grant', target.grant);
        return { at: 'grant', id: grant.id, name: grant.label, rules: grant.policy };
      }
    }
  }

  /** Attaches `rules` in place of what was there; an empty list takes all away. Rejects with `record_invalid` for a rule that is not sound. */
  async set(target: PolicyTarget, rules: readonly Rule[]): Promise<AttachedPolicy> {
    checkRules(rules);
    const { trail } = this.#options;
    const { at, id, name } = await this.show(target);
    if (at === 'app' || at === 'provider') await this.#setOuter(at === 'app' ? 'app' : `provider.${id}`, rules);
    else await this.#setWithin(at, id, rules);
    await trail.record({
      action: 'policy.set',
      target: id === '' ? at : `${at}:${id}`,
      label: name,
      members: rules.map(({ kind }) => kind),
    });
    return { at, id, name, rules };
  }

  /** Every place that has rules: app, providers, secrets, agents, grants. What has ended is left out. */
  async list(): Promise<readonly AttachedPolicy[]> {
    const { records } = this.#options;
    const [outer, secrets, agents, grants] = await Promise.all([
      records.list('policy'),
      records.list('secret'),
      records.list('agent'),
      records.list('grant'),
    ]);
    const found: readonly AttachedPolicy[] = [
      ...outer.records.map(({ id, policy }) => outerPolicy(id, policy)).sort((a, b) => compare(a.at, b.at) || compare(a.id, b.id)),
      ...secrets.records.filter(isActive).map(({ id, name, policy }) => ({ at: 'secret' as const, id, name, rules: policy })),
      ...agents.records.filter(notDeleted).map(({ id, policy }) => ({ at: 'agent' as const, id, name: id, rules: policy })),
      ...grants.records.filter(isActive).map(({ id, label, policy }) => ({ at: 'grant' as const, id, name: label, rules: policy })),
    ];
    return found.filter(({ rules }) => rules.length > 0);
  }

  #showOuter(at: 'app' | 'provider', id: string, standing: { readonly record: PolicyRecord } | undefined): AttachedPolicy {
    return { at, id, name: at === 'app' ? this.#options.records.app : id, rules: standing?.record.policy ?? [] };
  }

  async #knownProvider(slug: string): Promise<void> {
    if (!isSlug(slug)) throw notFound('provider', slug);
    await this.#options.findProvider(slug);
  }

  async #setOuter(id: string, rules: readonly Rule[]): Promise<void> {
    const { records, now } = this.#options;
    const at = now();
    const created = { v: RECORD_VERSION, id, app: records.app, policy: rules, createdAt: at, updatedAt: at };
    const replace = (record: PolicyRecord): PolicyRecord => ({ ...record, policy: rules, updatedAt: at });
    if ((await records.update('policy', id, replace)) !== undefined || (await records.create('policy', created))) return;
    if ((await records.update('policy', id, replace)) === undefined)
      throw new CommandError('record_conflict', 'the policy is being changed by somebody else');
  }

  async #setWithin(at: 'secret' | 'agent' | 'grant', id: string, rules: readonly Rule[]): Promise<void> {
    const { records, now } = this.#options;
    const updated = { policy: rules, updatedAt: now() };
    const changed =
      at === 'secret'
        ? await records.update('secret', id, (record) => ({ ...record, ...updated }))
        : at === 'agent'
          ? await records.update('agent', id, (record) => ({ ...notDeletedAgent(record), ...updated }))
          : await records.update('grant', id, (record) => ({ ...notDeletedGrant(record), ...updated }));
    if (changed === undefined) throw notFound(at, id);
  }
}

/** Throws CommandError `record_invalid` for the first rule that this version could not evaluate. */
export function checkRules(rules: readonly Rule[]): void {
  for (const [index, rule] of rules.entries()) {
    const fault = faultOfRule(rule);
    if (fault === undefined) continue;
    const path = fault.path.map((part) => (typeof part === 'number' ? `[${String(part)}]` : `.${part}`)).join('');
    throw new CommandError('record_invalid', `rules[${String(index)}]${path} ${fault.message}`);
  }
}

function outerPolicy(id: string, rules: readonly Rule[]): AttachedPolicy {
  if (id === 'app') return { at: 'app', id: '', name: 'the app', rules };
  const slug = id.slice('provider.'.length);
  return { at: 'provider', id: slug, name: slug, rules };
}

/** Rules of a deleted grant would hold nowhere, least of all for the one that took its place. */
function notDeletedGrant(grant: GrantRecord): GrantRecord {
  if (grant.status !== 'deleted') return grant;
  throw notAllowed(grant, grant.replacedBy === undefined ? 'is deleted' : `was replaced by ${grant.replacedBy}`);
}

/** Its name is not given again, so its rules would hold nowhere. */
function notDeletedAgent(agent: AgentRecord): AgentRecord {
  if (agent.status === 'deleted') throw notFound('agent', agent.id);
  return agent;
}

function isActive({ status }: { readonly status: string }): boolean {
  return status === 'active';
}

function notDeleted({ status }: { readonly status: string }): boolean {
  return status !== 'deleted';
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
