/** Keeps the store key that was asked for last: a busy client names one grant, and the same string comes with its hash. */
export class LastKey {
  readonly #make: (app: string, id: string) => string;
  #app = '';
  #id = '';
  #key: string | undefined;

  constructor(make: (app: string, id: string) => string) {
    this.#make = make;
  }

  /** The key of what has this id in this app. */
  of(app: string, id: string): string {
    if (this.#key === undefined || id !== this.#id || app !== this.#app) {
      this.#app = app;
      this.#id = id;
      this.#key = this.#make(app, id);
    }
    return this.#key;
  }
}
