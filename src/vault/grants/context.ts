import { CommandError, notFound } from '../../errors.ts';
import { parseUuid } from '../../message/uuid.ts';
import type { ChangeTrail } from '../change-trail.ts';
import type { GrantRecord } from '../records.ts';
import type { SecretFacts } from '../resolved.ts';
import type { SealedRecords } from '../sealed-records.ts';

/** What every operation on the grants of one app needs. */
export interface GrantContext {
  readonly records: SealedRecords;
  readonly secrets: {
    /** By id or name; rejects with `not_found`. */
    show(idOrName: string): Promise<SecretFacts>;
    /** The same, and rejects with `not_found` for one that is not active. */
    usable(idOrName: string): Promise<SecretFacts>;
    list(): Promise<readonly SecretFacts[]>;
  };
  readonly trail: ChangeTrail;
  /** Longest life of a new grant of any secret. */
  readonly maxTtlMs: number | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The grant as it stands now. Rejects with `not_found`. */
export async function readGrant({ records }: GrantContext, givenId: string): Promise<GrantRecord> {
  const id = parseUuid(givenId);
  const standing = id === undefined ? undefined : await records.read('grant', id);
  if (standing === undefined) throw notFound('grant', givenId);
  return standing.record;
}

/** Changes a grant; `change` may be called again, answers the record itself when there is nothing to do, and throws for what must not be. */
export async function updateGrant(
  { records }: GrantContext,
  givenId: string,
  change: (record: GrantRecord) => GrantRecord,
): Promise<{ readonly before: GrantRecord; readonly after: GrantRecord }> {
  const id = parseUuid(givenId);
  let before: GrantRecord | undefined;
  const after =
    id === undefined
      ? undefined
      : await records.update('grant', id, (record) => {
          before = record;
          return change(record);
        });
  if (after === undefined || before === undefined) throw notFound('grant', givenId);
  return { before, after };
}

/** The refusal of an operation on a grant that has ended in a way that does not allow it. */
export function notAllowed(grant: GrantRecord, because: string): CommandError {
  return new CommandError('not_allowed', `the grant ${grant.id} ${because}`);
}
