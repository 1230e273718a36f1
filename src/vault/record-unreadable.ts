/** Why a sealed record does not open. `wrong_type`: the store holds something else there. */
export type UnreadableReason =
  'unknown_kid' | 'wrong_ref' | 'wrong_kind' | 'bad_seal' | 'truncated' | 'bad_shape' | 'newer_version' | 'wrong_type';

/** A sealed record does not open. Nothing of its content is in here: the ref, the reason, and perhaps the name of a member. */
export class RecordUnreadableError extends Error {
  /** {@link refText} of the place where the record was read. */
  readonly record: string;
  readonly reason: UnreadableReason;
  /** The member of the record that is at fault, when there is one. */
  readonly member: string | undefined;

  constructor(record: string, reason: UnreadableReason, options: { readonly member?: string; readonly cause?: unknown } = {}) {
    const where = options.member === undefined ? '' : ` at ${options.member}`;
    super(`record ${record} cannot be read: ${reason}${where}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'RecordUnreadableError';
    this.record = record;
    this.reason = reason;
    this.member = options.member;
  }
}
