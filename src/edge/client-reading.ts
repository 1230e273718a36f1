import type { Socket } from 'node:net';

/**
 * Whether a client reads what is written for it. This is looked at now and then, so that neither a write nor a byte of the client costs
 * anything: what a client sends does not say that it reads.
 */
export class ClientReading {
  readonly #socket: Pick<Socket, 'bytesWritten' | 'writableLength'>;
  /** When the client was last seen to read, or to have nothing to read. */
  #readAt: number;
  /** Bytes that the kernel had taken for the client at the last look that found more waiting. */
  #taken = -1;

  constructor(socket: Pick<Socket, 'bytesWritten' | 'writableLength'>, now: number) {
    this.#socket = socket;
    this.#readAt = now;
  }

  /** For how many milliseconds the client has taken nothing of what waits for it, as far as the looks tell: never too many. */
  look(now: number): number {
    const { writableLength } = this.#socket;
    const taken = writableLength === 0 ? undefined : this.#socket.bytesWritten - writableLength;
    if (taken !== this.#taken) this.#readAt = now;
    if (taken !== undefined) this.#taken = taken;
    return now - this.#readAt;
  }
}
