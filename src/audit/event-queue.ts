/** So many that the price of a command is shared by many events. */
const MAX_EVENTS = 500;
/** So few that a store far away takes the batch within its time-out, also when somebody makes long events. */
const MAX_CHARACTERS = 512 * 1024;

/** Events that wait, as JSON and in order, in the batches in which they leave. */
export class EventQueue {
  /** Oldest first; none is empty. */
  readonly #batches: string[][] = [];
  /** The youngest batch while it still grows; one that has been handed out does not. */
  #open: string[] | undefined;
  #openCharacters = 0;
  #length = 0;

  /** Events that wait, those of a batch that was handed out among them. */
  get length(): number {
    return this.#length;
  }

  push(json: string): void {
    const full = this.#open?.length === MAX_EVENTS || this.#openCharacters + json.length > MAX_CHARACTERS;
    if (this.#open === undefined || full) {
      this.#open = [];
      this.#openCharacters = 0;
      this.#batches.push(this.#open);
    }
    this.#open.push(json);
    this.#openCharacters += json.length;
    this.#length += 1;
  }

  /** The oldest batch: at most 500 events and, but for a single longer one, 512 Ki characters. It is the same until {@link drop}. */
  first(): readonly string[] {
    const batch = this.#batches[0] ?? [];
    if (batch === this.#open) this.#open = undefined;
    return batch;
  }

  /** Forgets the batch that {@link first} gives. */
  drop(): void {
    this.#length -= this.first().length;
    this.#batches.shift();
  }
}
