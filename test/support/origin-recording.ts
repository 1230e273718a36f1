import { createHash } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

const KEPT_BODY_BYTES = 64 * 1024;

/** One request as the origin saw it. Recorded when its head has arrived; the body's members grow until `complete`. */
export interface RecordedRequest {
  readonly method: string;
  /** The request target, octet for octet. */
  readonly url: string;
  readonly httpVersion: string;
  /** Name, value, name, value …, as on the wire. */
  readonly rawHeaders: readonly string[];
  readonly headers: IncomingHttpHeaders;
  /** Number of the connection it came on: 1, 2, … in the order of arrival. */
  readonly connection: number;
  /** The TLS server name that the connection asked for. */
  readonly servername: string | undefined;
  bodyBytes: number;
  /** First 64 KiB of the body, as UTF-8. */
  body: string;
  /** SHA-256 of the whole body, in hex; undefined until `complete`. */
  bodySha256: string | undefined;
  rawTrailers: readonly string[];
  /** Whether the whole request has arrived. */
  complete: boolean;
  /** Octets of response body handed to the socket by `/big`; stands still under back-pressure. */
  responseBytes: number;
}

/** Thrown when something did not happen in time. */
class NotInTime extends Error {}

/** What an origin has seen, and a way to wait for it without sleeping. */
export class OriginRecord {
  readonly requests: RecordedRequest[] = [];
  readonly aborted: RecordedRequest[] = [];
  readonly tlsErrors: string[] = [];
  readonly sockets = new Set<Socket>();
  accepted = 0;
  readonly #numbers = new WeakMap<Socket, number>();
  #numbered = 0;
  readonly #changes = new EventEmitter().setMaxListeners(0);

  /** Wakes whoever waits in {@link until}. */
  changed(): void {
    this.#changes.emit('change');
  }

  /** Counts a TCP connection. */
  open(socket: Socket): void {
    this.accepted += 1;
    this.sockets.add(socket);
    // The test sees a lost connection by what was recorded, not by this error.
    socket.on('error', () => {
      this.changed();
    });
    socket.once('close', () => {
      this.sockets.delete(socket);
      this.changed();
    });
    this.changed();
  }

  /** Numbers a connection that speaks HTTP: the TLS socket, or the TCP socket without TLS. */
  number(socket: Socket): void {
    this.#numbered += 1;
    this.#numbers.set(socket, this.#numbered);
  }

  /** Records the head of `message`; the body follows with {@link readBody}. */
  begin(message: IncomingMessage): RecordedRequest {
    const { socket } = message;
    const servername = 'servername' in socket && typeof socket.servername === 'string' ? socket.servername : undefined;
    const request: RecordedRequest = {
      method: message.method ?? '',
      url: message.url ?? '',
      httpVersion: message.httpVersion,
      rawHeaders: message.rawHeaders,
      headers: message.headers,
      connection: this.#numbers.get(socket) ?? 0,
      servername,
      bodyBytes: 0,
      body: '',
      bodySha256: undefined,
      rawTrailers: [],
      complete: false,
      responseBytes: 0,
    };
    this.requests.push(request);
    this.changed();
    return request;
  }

  /** Reads the body of `message` into `request`; resolves when it is complete, never when the client goes away before. */
  readBody(message: IncomingMessage, request: RecordedRequest): Promise<void> {
    const hash = createHash('sha256');
    const kept: Buffer[] = [];
    message.on('data', (chunk: Buffer) => {
      hash.update(chunk);
      if (request.bodyBytes < KEPT_BODY_BYTES) kept.push(chunk.subarray(0, KEPT_BODY_BYTES - request.bodyBytes));
      request.bodyBytes += chunk.length;
      this.changed();
    });
    return new Promise((resolve) => {
      message.once('end', () => {
        request.body = Buffer.concat(kept).toString('utf8');
        request.bodySha256 = hash.digest('hex');
        request.rawTrailers = message.rawTrailers;
        request.complete = true;
        this.changed();
        resolve();
      });
    });
  }

  /** Resolves as soon as `condition` holds; it is asked again whenever the origin sees anything. */
  async until(condition: () => boolean, timeoutMs: number): Promise<void> {
    const deadline = AbortSignal.timeout(timeoutMs);
    while (!condition()) {
      if (deadline.aborted) throw new NotInTime(`the origin did not see it within ${timeoutMs.toString()} ms: ${condition.toString()}`);
      await this.#nextChange(deadline);
    }
  }

  #nextChange(deadline: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#changes.off('change', wake);
        deadline.removeEventListener('abort', wake);
        resolve();
      };
      this.#changes.once('change', wake);
      deadline.addEventListener('abort', wake);
    });
  }
}
