import { notFound } from '../errors.ts';
import type { ChangeTrail } from './change-trail.ts';
import { isAgentName } from './names.ts';
import type { AgentRecord } from './records.ts';
import type { SecretFacts } from './resolved.ts';
import type { SealedRecords } from './sealed-records.ts';

/** What the permissions of agents need. */
export interface AgentPermissionsOptions {
  readonly records: SealedRecords;
  /** Rejects with CommandError `not_found`. */
  readonly findSecret: (idOrName: string) => Promise<SecretFacts>;
  readonly trail: ChangeTrail;
  readonly now: () => number;
}

/** On which secrets an agent may issue grants for itself. */
export class AgentPermissions {
  readonly #options: AgentPermissionsOptions;

  constructor(options: AgentPermissionsOptions) {
    this.#options = options;
  }

  async allow(agent: string, secret: string): Promise<AgentRecord> {
    const { id } = await this.#options.findSecret(secret);
    return this.#change(agent, id, 'agent.allow', (mayIssue) => (mayIssue.includes(id) ? mayIssue : [...mayIssue, id]));
  }

  /** Grants that the agent has issued already go on. */
  async disallow(agent: string, secret: string): Promise<AgentRecord> {
    const { id } = await this.#options.findSecret(secret);
    return this.#change(agent, id, 'agent.disallow', (mayIssue) =>
      mayIssue.includes(id) ? mayIssue.filter((one) => one !== id) : mayIssue,
    );
  }

  async #change(
    name: string,
    secretId: string,
    action: 'agent.allow' | 'agent.disallow',
    change: (mayIssue: readonly string[]) => readonly string[],
  ): Promise<AgentRecord> {
    const { records, trail, now } = this.#options;
    let before: AgentRecord | undefined;
    const agent = !isAgentName(name)
      ? undefined
      : await records.update('agent', name, (record) => {
          before = record;
          if (record.status === 'deleted') throw notFound('agent', name);
          const mayIssue = change(record.mayIssue);
          return mayIssue === record.mayIssue ? record : { ...record, mayIssue, updatedAt: now() };
        });
    if (agent === undefined) throw notFound('agent', name);
    if (agent !== before) await trail.record({ action, target: name, links: { secret: secretId } });
    return agent;
  }
}
