import { randomUUID } from 'node:crypto';
import type { ChangeAction, ChangeEvent } from '../audit/change.ts';
import { CommandError } from '../errors.ts';
import type { Store } from '../store/store.ts';

/** A change as the one who made it tells it. */
export interface Change {
  readonly action: ChangeAction;
  /** Id of the changed record. */
  readonly target: string;
  readonly label?: string;
  readonly links?: Readonly<Record<string, string>>;
  readonly members?: readonly string[];
}

/** What a {@link ChangeTrail} needs. */
export interface ChangeTrailOptions {
  /** Takes the events: the store, or a queue in front of it. */
  readonly store: Pick<Store, 'appendEvents'>;
  readonly app: string;
  /** Who makes the changes. */
  readonly by: string;
  readonly now: () => number;
}

/** Writes into the audit stream of an app what was changed. */
export class ChangeTrail {
  readonly #options: ChangeTrailOptions;

  constructor(options: ChangeTrailOptions) {
    this.#options = options;
  }

  /**
   * Records a change that has been made; `by` names somebody else than the operator. Rejects with CommandError `store_unreachable` when it
   * cannot: the change stands, because a revocation must not fail for want of its record.
   */
  async record(change: Change, by = this.#options.by): Promise<void> {
    const { store, app, now } = this.#options;
    const event: ChangeEvent = {
      v: 1,
      id: randomUUID(),
      type: 'change',
      start: new Date(now()).toISOString(),
      app,
      by,
      action: change.action,
      target: change.target,
      label: change.label ?? null,
      links: change.links ?? {},
      members: change.members ?? [],
    };
    try {
      await store.appendEvents(app, [JSON.stringify(event)]);
    } catch (cause) {
      throw new CommandError('store_unreachable', `${change.action} ${change.target} was done, but could not be recorded in the audit`, {
        hint: 'Do not repeat it; see what is with the store, and note the change where it is missed.',
        cause,
      });
    }
  }
}
