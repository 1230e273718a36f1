import { once } from 'node:events';
import type { Socket } from 'node:net';
import { eventually } from './eventually.ts';
import { readMessages, type Message } from './h1-messages.ts';

const PATIENCE_MS = 20_000;

/** A client that writes bytes as they are and keeps every byte that comes back. */
export class RawClient {
  readonly socket: Socket;
  /** Methods of the requests that are answered; GET unless stated. */
  readonly methods: string[] = [];
  #received = '';

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#received += chunk.toString('latin1');
    });
    // What became of the connection is judged by what came back.
    socket.on('error', () => undefined);
  }

  /** Every byte that came back, one character an octet. */
  get received(): string {
    return this.#received;
  }

  /** What the bytes are; the last may be incomplete. */
  get answers(): readonly Message[] {
    return readMessages(this.#received, { answersTo: this.methods });
  }

  /** Sends text with one character an octet. */
  send(text: string): void {
    this.socket.write(Buffer.from(text, 'latin1'));
  }

  /** Resolves with the answers once there are `count` complete ones, or the connection is closed. */
  async answered(count: number): Promise<readonly Message[]> {
    return eventually(
      () => {
        const { answers } = this;
        const complete = answers.filter(({ ends }) => ends === 'by-itself').length;
        return complete >= count || this.socket.destroyed ? answers : undefined;
      },
      `${count} answers; got ${this.#received.slice(0, 1000)}`,
      PATIENCE_MS,
    );
  }

  /** Resolves with the answers once the proxy has closed the connection. */
  async closed(): Promise<readonly Message[]> {
    if (!this.socket.closed) await once(this.socket, 'close', { signal: AbortSignal.timeout(PATIENCE_MS) });
    return this.answers;
  }

  /** Leaves. */
  destroy(): void {
    this.socket.destroy();
  }
}
