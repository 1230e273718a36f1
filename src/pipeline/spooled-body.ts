import { AlterError } from '../errors.ts';
import type { BodySink, BodySource } from '../message/body.ts';
import type { SpoolFile } from './spool-file.ts';

/** A body that lies in a file. */
export class SpooledBody implements BodySource {
  readonly #next: () => Promise<Buffer | undefined>;
  #sink: BodySink | undefined;
  #reading = false;

  constructor(file: SpoolFile) {
    this.#next = file.reader();
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    this.resume();
  }

  resume(): void {
    if (!this.#reading) void this.#flow();
  }

  cancel(): void {
    this.#sink = undefined;
  }

  /** Reads on until the sink has enough; never rejects. */
  async #flow(): Promise<void> {
    this.#reading = true;
    try {
      for (let takes = true; takes && this.#sink !== undefined;) takes = this.#pass(await this.#next());
    } catch (cause) {
      this.#taken()?.abort(new AlterError('body_spool_failed', { detail: 'the temporary file cannot be read', cause }));
    } finally {
      this.#reading = false;
    }
  }

  /** Whether there may be more. */
  #pass(piece: Buffer | undefined): boolean {
    if (piece === undefined) {
      this.#taken()?.end();
      return false;
    }
    return this.#sink?.write(piece) ?? false;
  }

  #taken(): BodySink | undefined {
    const sink = this.#sink;
    this.#sink = undefined;
    return sink;
  }
}
