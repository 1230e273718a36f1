import { CommandError, notFound } from '../errors.ts';
import { isAgentName, isLabel } from './names.ts';
import { RECORD_VERSION } from './records.ts';
import type { AgentRecord } from './records.ts';
import type { SealedRecords } from './sealed-records.ts';

/** An agent as an operator asks for it. */
export interface NewAgent {
  readonly name: string;
  readonly description?: string;
}

/** What an operator can do with the agents of one app. Rejects with CommandError. */
export interface AgentAdministration {
  /** A name is given once: it never changes, and is not free again after a deletion. */
  create(input: NewAgent): Promise<AgentRecord>;
  list(): Promise<readonly AgentRecord[]>;
  show(name: string): Promise<AgentRecord>;
  /** Refuses every request of the agent until it is resumed. */
  pause(name: string): Promise<AgentRecord>;
  resume(name: string): Promise<AgentRecord>;
  /** Leaves a tombstone and revokes the agent's keys. May be repeated. */
  delete(name: string): Promise<AgentRecord>;
}

/** What the administration of agents needs. */
export interface AgentsOptions {
  readonly records: SealedRecords;
  readonly revokeKeys: (agent: string) => Promise<unknown>;
  readonly now: () => number;
}

/** Agents of one app. */
export class Agents implements AgentAdministration {
  readonly #options: AgentsOptions;

  constructor(options: AgentsOptions) {
    this.#options = options;
  }

  async create({ name, description }: NewAgent): Promise<AgentRecord> {
    const { records, now } = this.#options;
    if (!isAgentName(name)) {
      throw new CommandError('record_invalid', 'the name of an agent must be 1 to 64 of a-z, 0-9, dot, underscore and hyphen', {
        hint: 'Write it in lower case, with a letter or digit at the front.',
      });
    }
    if (description !== undefined && !isLabel(description)) {
      throw new CommandError('record_invalid', 'the description must be 1 to 128 printable characters');
    }
    const at = now();
    const record: AgentRecord = {
      v: RECORD_VERSION,
      id: name,
      app: records.app,
      ...(description === undefined ? {} : { description }),
      ...{ status: 'active', policy: [], mayIssue: [], createdAt: at, updatedAt: at },
    };
    if (!(await records.create('agent', record))) {
      throw new CommandError('record_exists', `the name ${name} is taken, perhaps by an agent that was deleted`);
    }
    return record;
  }

  async list(): Promise<readonly AgentRecord[]> {
    return (await this.#options.records.list('agent')).records;
  }

  async show(name: string): Promise<AgentRecord> {
    const standing = isAgentName(name) ? await this.#options.records.read('agent', name) : undefined;
    if (standing === undefined) throw notFound('agent', name);
    return standing.record;
  }

  pause(name: string): Promise<AgentRecord> {
    return this.#change(name, (record) => this.#with(mustLive(record), 'paused'));
  }

  resume(name: string): Promise<AgentRecord> {
    return this.#change(name, (record) => this.#with(mustLive(record), 'active'));
  }

  async delete(name: string): Promise<AgentRecord> {
    // The tombstone comes first: it refuses the agent by itself, whatever becomes of the keys.
    const deleted = await this.#change(name, (record) => this.#with(record, 'deleted'));
    await this.#options.revokeKeys(name);
    return deleted;
  }

  /** Rejects with CommandError unless the agent may have keys. */
  async checkLives(name: string): Promise<void> {
    mustLive(await this.show(name));
  }

  #with(record: AgentRecord, status: AgentRecord['status']): AgentRecord {
    return record.status === status ? record : { ...record, status, updatedAt: this.#options.now() };
  }

  async #change(name: string, change: (record: AgentRecord) => AgentRecord): Promise<AgentRecord> {
    const changed = isAgentName(name) ? await this.#options.records.update('agent', name, change) : undefined;
    if (changed === undefined) throw notFound('agent', name);
    return changed;
  }
}

function mustLive(record: AgentRecord): AgentRecord {
  if (record.status === 'deleted') throw new CommandError('not_allowed', `the agent ${record.id} was deleted`);
  return record;
}
