/** How many requests are under way in this process, by whatever they are counted by. */
export class RequestsUnderWay {
  readonly #counts = new Map<string, number>();

  /** Takes one of `max` places; returns the function that gives it back, or undefined when all are taken. */
  take(name: string, max: number): (() => void) | undefined {
    const count = this.#counts.get(name) ?? 0;
    if (count >= max) return undefined;
    this.#counts.set(name, count + 1);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const left = (this.#counts.get(name) ?? 1) - 1;
      if (left === 0) this.#counts.delete(name);
      else this.#counts.set(name, left);
    };
  }
}
