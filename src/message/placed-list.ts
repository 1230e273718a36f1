/** What can stand in a {@link PlacedList}, in one at a time. */
export interface Placed {
  /** For the list alone. -1: it stands in none. */
  place: number;
}

/**
 * A list without order of what comes and goes all the time, each of which knows its place. A set would grow into new tables again and again, and
 * each dead one would keep what stood in it from the garbage collector for long.
 */
export class PlacedList<T extends Placed> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  /** Adds what stands in no list. */
  add(item: T): void {
    item.place = this.#items.push(item) - 1;
  }

  /** Says whether it was there. */
  delete(item: T): boolean {
    const { place } = item;
    if (place === -1) return false;
    item.place = -1;
    const last = this.#items.pop();
    if (last !== undefined && last !== item) {
      this.#items[place] = last;
      last.place = place;
    }
    return true;
  }

  /** All of them now; what comes and goes meanwhile changes nothing. */
  all(): T[] {
    return [...this.#items];
  }
}
