import { randomUUID } from 'node:crypto';
import { CommandError } from '../errors.ts';
import { parseUuid } from '../message/uuid.ts';
import type { Rule } from '../policy/rules.ts';
import { expiryAfter } from './expiry.ts';
import { isLabel } from './names.ts';
import { RECORD_VERSION } from './records.ts';
import type { GrantRecord } from './records.ts';
import type { SecretFacts } from './resolved.ts';
import type { SealedRecords } from './sealed-records.ts';

/** A grant as an operator asks for it. */
export interface NewGrant {
  /** Id or name. */
  readonly secret: string;
  readonly label: string;
  readonly ttlMs?: number;
  readonly policy?: readonly Rule[];
}

/** What the administration of grants needs. */
export interface GrantsOptions {
  readonly records: SealedRecords;
  /** Rejects with CommandError `not_found`. */
  readonly findSecret: (idOrName: string) => Promise<SecretFacts>;
  readonly now: () => number;
}

/** Grants of one app. */
export class Grants {
  readonly #options: GrantsOptions;

  constructor(options: GrantsOptions) {
    this.#options = options;
  }

  async issue(input: NewGrant): Promise<GrantRecord> {
    const { records, findSecret, now } = this.#options;
    if (!isLabel(input.label)) throw new CommandError('record_invalid', 'the label must be 1 to 128 printable characters');
    const at = now();
    const expiry = expiryAfter(input.ttlMs, at);
    const record: GrantRecord = {
      v: RECORD_VERSION,
      id: randomUUID(),
      app: records.app,
      secretId: (await findSecret(input.secret)).id,
      label: input.label,
      principal: { type: 'system' },
      policy: input.policy ?? [],
      status: 'active',
      createdAt: at,
      updatedAt: at,
      ...expiry,
    };
    if (!(await records.create('grant', record))) throw new CommandError('record_conflict', 'the new id is taken');
    return record;
  }

  async list(): Promise<readonly GrantRecord[]> {
    return (await this.#options.records.list('grant')).records;
  }

  async show(givenId: string): Promise<GrantRecord> {
    const id = parseUuid(givenId);
    const standing = id === undefined ? undefined : await this.#options.records.read('grant', id);
    if (standing === undefined) throw unknown(givenId);
    return standing.record;
  }

  /** Ends the grant for good; a grant that has ended already stays as it is. */
  async revoke(givenId: string): Promise<GrantRecord> {
    const { records, now } = this.#options;
    const id = parseUuid(givenId);
    const changed =
      id === undefined
        ? undefined
        : await records.update('grant', id, (record) =>
            record.status === 'active' ? { ...record, status: 'revoked', updatedAt: now() } : record,
          );
    if (changed === undefined) throw unknown(givenId);
    return changed;
  }
}

function unknown(id: string): CommandError {
  return new CommandError('not_found', `there is no grant ${JSON.stringify(id)}`);
}
