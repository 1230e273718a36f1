import type { MaybePromise } from '../message/maybe-promise.ts';

/** Kinds of record that a store holds. The kind is part of the key and is bound into the sealed record. */
export const RECORD_KINDS = ['secret', 'grant', 'provider', 'key', 'agent', 'idp', 'policy', 'holder'] as const;

/** One of {@link RECORD_KINDS}. */
export type RecordKind = (typeof RECORD_KINDS)[number];

/**
 * Names one record. API keys (`kind: 'key'`, id = SHA-256 hex of the key) are found without knowing the app, so
 * their ref has no app; every other record belongs to exactly one app.
 */
export type RecordRef =
  { readonly kind: Exclude<RecordKind, 'key'>; readonly app: string; readonly id: string } | { readonly kind: 'key'; readonly id: string };

/**
 * The text of a ref without the namespace: `default:grant:<uuid>`, `key:<sha256>`. It is the store key after the
 * namespace and the `sub` of the sealed record.
 */
export function refText(ref: RecordRef): string {
  return ref.kind === 'key' ? `key:${ref.id}` : `${ref.app}:${ref.kind}:${ref.id}`;
}

/** One page of a listing. */
export interface Page {
  readonly ids: readonly string[];
  /** Pass to the next call; undefined: this was the last page. */
  readonly cursor: string | undefined;
}

/** An audit event as the store keeps it. */
export interface StoredEvent {
  /** Position in the stream, given by the store; sorts by time. */
  readonly position: string;
  /** The event as one JSON text. */
  readonly json: string;
}

/** How often a grant was used, and when last. */
export interface Uses {
  readonly id: string;
  readonly count: number;
  /** Milliseconds since the epoch. */
  readonly lastAt: number;
}

/** A place in a window of a counter, as it is asked for. */
export interface CounterTake {
  /** Names the counter within its app. Whoever uses one name always uses it with the same limit and window. */
  readonly name: string;
  readonly limit: number;
  readonly windowMs: number;
}

/** What became of a {@link CounterTake}. */
export interface CounterState {
  /** Whether there was a place. */
  readonly taken: boolean;
  /** Places taken in this window, this one among them. */
  readonly used: number;
  /** Until the window ends. */
  readonly resetMs: number;
}

/** What a store tells the cache that sits in front of it. */
export interface Freshness {
  /**
   * True while cached records may be served: all changes made before this call have been told to the listener.
   * Called for every request, so it costs about a microsecond.
   */
  alive(): boolean;
  /** Stops telling. */
  close(): void;
}

/** Receives what has changed: the {@link refText} of one record, or undefined for "anything may have changed". */
export type InvalidationListener = (changed: string | undefined) => void;

/** By what a store knows events that it has already. */
export interface NumberedEvents {
  /** Whoever sends them: at least 16 hexadecimal digits, random for each that counts from 0. */
  readonly writer: string;
  /** Number of the first event. The others follow it, and a later batch begins with a higher one. */
  readonly first: number;
}

/** What a proxy does at its store: `grants` are those that agents ask for. */
export type StoreWork = 'records' | 'audit' | 'cache' | 'uses' | 'grants';

/** Work of a proxy that the store would not do now, and why. */
export interface StoreFault {
  readonly work: StoreWork;
  readonly error: StoreUnavailableError;
}

/**
 * Where sealed records and audit events are kept. Values are opaque text (compact JWE). Every failure to reach the
 * store rejects (or throws) with {@link StoreUnavailableError}, within the configured time-outs.
 */
export interface Store {
  readonly kind: 'embedded' | 'redis';

  /** One record, or undefined. A single-key read. */
  get(ref: RecordRef): MaybePromise<string | undefined>;

  /**
   * Compare and set, atomic on the one record: writes `value` (undefined deletes) only if the record now is `expected`
   * (undefined: only if absent). Returns false, and changes nothing, when it is not. Keeps the listing index in step.
   */
  put(ref: RecordRef, expected: string | undefined, value: string | undefined): Promise<boolean>;

  /** Ids of the records of one kind, in a stable order, `limit` at a time. For keys `app` filters nothing: pass ''. */
  list(app: string, kind: RecordKind, options?: { readonly cursor?: string; readonly limit?: number }): Promise<Page>;

  /** Starts telling `listener` about changes by any process, for the records of these apps. */
  watch(apps: readonly string[], listener: InvalidationListener): Freshness;

  /**
   * Appends audit events (JSON texts) to the stream of `app`, all or an error. With `numbered`, events that are sent again because nobody
   * answered are not appended twice, where the store can tell.
   */
  appendEvents(app: string, events: readonly string[], numbered?: NumberedEvents): Promise<void>;

  /**
   * Up to `limit` events of `app` after `position` (undefined: the last `limit` ones), oldest first. With `waitMs` it
   * waits that long for the first one.
   */
  readEvents(
    app: string,
    options: { readonly after?: string | undefined; readonly limit: number; readonly waitMs?: number },
  ): Promise<readonly StoredEvent[]>;

  /** Adds to the counts of uses of `app`; of two last uses the later one stays. Not exactly once: an attempt that failed may have been counted. */
  addUses(app: string, uses: readonly Uses[]): Promise<void>;

  /** The uses of these ids so far; an id that was never used is left out. */
  readUses(app: string, ids: readonly string[]): Promise<readonly Uses[]>;

  /**
   * Takes a place in the running window of a counter, if there is one; without a window, one begins. Atomic over all processes that use the
   * store: of any number of them, exactly `limit` get a place.
   */
  takeFromCounter(app: string, take: CounterTake): Promise<CounterState>;

  /** Resolves when the store answers. */
  ping(): Promise<void>;

  /** What of the work of a proxy of `app` the store would not do now. Changes nothing. */
  rehearse(app: string): Promise<readonly StoreFault[]>;

  close(): Promise<void>;
}

/** The store cannot be reached, answered too late, or answered nonsense. */
export class StoreUnavailableError extends Error {
  /** What an operator can do, where that is known better than that he should look whether the store runs. */
  readonly hint: string | undefined;

  constructor(message: string, cause?: unknown, hint?: string) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'StoreUnavailableError';
    this.hint = hint;
  }
}

/** Something else stands where the store keeps this: another program has written there. Nothing else of the store is affected. */
export class ForeignValueError extends StoreUnavailableError {}

/** The store refuses this one thing to its user; the hint names the missing rights. */
export class StoreForbiddenError extends StoreUnavailableError {}
