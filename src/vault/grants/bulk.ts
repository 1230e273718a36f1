/** One operation on many grants, with a result for each: what cannot be done does not hinder the others, and nothing is half done. */
import { CommandError } from '../../errors.ts';
import type { MaybePromise } from '../../message/maybe-promise.ts';
import type { GrantRecord } from '../records.ts';
import { changeGrant } from './change.ts';
import type { GrantChange } from './change.ts';
import { readGrant } from './context.ts';
import type { GrantContext } from './context.ts';
import { draftGrant, issueGrant } from './issue.ts';
import type { NewGrant } from './issue.ts';

/** What became of one item. */
export type BulkResult =
  /** `changed` is false when there was nothing to do. */
  | { readonly ok: true; readonly grant: GrantRecord; readonly changed: boolean }
  | ({ readonly ok: false; readonly error: CommandError } & FailedGrant);

/** What is known of a grant that was not issued or changed. */
export interface FailedGrant {
  readonly id?: string;
  readonly label?: string;
}

/** Issues each grant; with `dryRun` it only checks that they could be issued. The results are in the order of `inputs`. */
export function issueGrants(context: GrantContext, inputs: readonly NewGrant[], dryRun = false): Promise<readonly BulkResult[]> {
  return inOrder(
    inputs,
    async (input) => ({
      grant: dryRun ? (await draftGrant(context, input)).record : await issueGrant(context, input),
      changed: true,
    }),
    ({ label }) => ({ label }),
  );
}

/** Makes the same change of each grant; with `dryRun` it only says what would come of it. The results are in the order of `ids`. */
export function changeGrants(
  context: GrantContext,
  ids: readonly string[],
  change: GrantChange,
  dryRun = false,
): Promise<readonly BulkResult[]> {
  return inOrder(
    ids,
    async (id) => {
      const { before, after } = await changeGrant(context, id, change, dryRun);
      return { grant: after, changed: before !== after };
    },
    async (id) => ({ id, ...(await labelOf(context, id)) }),
  );
}

/** The label of a grant that can be read. */
async function labelOf(context: GrantContext, id: string): Promise<Pick<FailedGrant, 'label'>> {
  try {
    const { label } = await readGrant(context, id);
    return { label };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return {};
  }
}

/** One after the other: the store is asked for as much as by one operator, and results do not depend on a race. */
async function inOrder<T>(
  items: readonly T[],
  action: (item: T) => Promise<{ readonly grant: GrantRecord; readonly changed: boolean }>,
  known: (item: T) => MaybePromise<FailedGrant>,
): Promise<readonly BulkResult[]> {
  const results: BulkResult[] = [];
  for (const item of items) {
    try {
      results.push({ ok: true, ...(await action(item)) });
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      results.push({ ok: false, error, ...(await known(item)) });
    }
  }
  return results;
}
