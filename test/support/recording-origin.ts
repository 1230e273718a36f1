import type { Socket } from 'node:net';
import { readMessages, type Message } from './h1-messages.ts';
import { startRawOrigin, type OriginOptions, type RawOrigin } from './origin.ts';

/** A connection and every byte that came on it. */
export interface RecordedConnection {
  readonly socket: Socket;
  /** One character an octet. */
  readonly bytes: string;
  /** What the bytes are; the last may be incomplete. */
  readonly requests: readonly Message[];
}

/** An origin that keeps every byte it received. */
export interface RecordingOrigin extends RawOrigin {
  /** In the order of arrival. */
  readonly recorded: readonly RecordedConnection[];
}

/** Starts one; `answer` is called for each request once it is complete, and writes what it likes. */
export async function startRecordingOrigin(
  answer: (request: Message, socket: Socket) => void,
  options: OriginOptions = {},
): Promise<RecordingOrigin> {
  const recorded: Connection[] = [];
  const origin = await startRawOrigin((socket) => {
    const connection = new Connection(socket, answer);
    recorded.push(connection);
    socket.on('data', (chunk: Buffer) => {
      connection.take(chunk);
    });
  }, options);
  return Object.defineProperties({ recorded }, Object.getOwnPropertyDescriptors(origin)) as unknown as RecordingOrigin;
}

class Connection implements RecordedConnection {
  readonly socket: Socket;
  readonly #answer: (request: Message, socket: Socket) => void;
  #answered = 0;
  bytes = '';

  constructor(socket: Socket, answer: (request: Message, socket: Socket) => void) {
    this.socket = socket;
    this.#answer = answer;
  }

  get requests(): readonly Message[] {
    return readMessages(this.bytes, 'requests');
  }

  take(chunk: Buffer): void {
    this.bytes += chunk.toString('latin1');
    const complete = this.requests.filter(({ ends }) => ends === 'by-itself');
    for (const request of complete.slice(this.#answered)) this.#answer(request, this.socket);
    this.#answered = complete.length;
  }
}
