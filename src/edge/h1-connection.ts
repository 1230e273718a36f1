import type net from 'node:net';
import { TLSSocket } from 'node:tls';
import { H1Error } from '../message/h1/error.ts';
import { FieldText } from '../message/h1/field-text.ts';
import type { H1Limits } from '../message/h1/limits.ts';
import { MessageWriter } from '../message/h1/message-writer.ts';
import { RequestParser, type H1RequestHead } from '../message/h1/request-parser.ts';
import type { Placed } from '../message/placed-list.ts';
import { atTurnEnd, exchangeBegins, exchangeEnds } from '../message/turn-end.ts';
import { TurnReader } from '../message/turn-reader.ts';
import { ClientReading } from './client-reading.ts';
import type { Connection } from './connection.ts';
import { H1Stream, type H1StreamOptions } from './h1-stream.ts';

/** What an {@link H1Connection} is given. */
export interface H1ConnectionOptions {
  readonly limits: H1Limits;
  /** Times in milliseconds. */
  readonly headTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly stallTimeoutMs: number;
  /** Takes a request. Must not throw. */
  request(head: H1RequestHead, stream: H1Stream, connection: Connection): void;
  /** Takes a CONNECT request, the socket and the bytes behind the head; the connection is no longer this one's. */
  connect(head: H1RequestHead, socket: net.Socket, rest: Buffer, connection: Connection): void;
  /** Takes what could not be read as a request, between answers. */
  unreadable(error: H1Error | 'slow', socket: net.Socket, connection: Connection): void;
  /** The connection is closed, or another owner's. */
  left(connection: H1Connection): void;
}

/** Bytes of pipelined requests that are held while an answer is under way. */
const MAX_HELD = 64 * 1024;
/** How long a client that sends no more may get nothing before it counts as gone: a client that left looks the same. */
const HALF_CLOSED_MS = 1000;
/** How long a client has to read the last answer before its connection is closed for good. */
const LINGER_MS = 2000;

/** What the connection is doing; each phase but `serving` has its own time-out. */
type Phase = 'idle' | 'head' | 'serving' | 'closing' | 'over';

/**
 * One client connection that carries HTTP/1.1: reads requests one after another, and gives each a {@link H1Stream} to answer on. A
 * request is read only when the one before it has been answered, so answers cannot change their order.
 */
export class H1Connection implements Placed {
  readonly #socket: net.Socket;
  readonly #connection: Connection;
  readonly #options: H1ConnectionOptions;
  readonly #parser: RequestParser;
  readonly #writer: MessageWriter;
  readonly #reading: ClientReading;
  readonly #flush: () => void;
  readonly #arrivals: TurnReader;
  readonly #streamOptions: H1StreamOptions;
  #phase: Phase = 'idle';
  /** When the phase began, or a client that is waited for last did something. */
  #since: number;
  #served = false;
  #stream: H1Stream | undefined;
  #connectHead: H1RequestHead | undefined;
  #held: Buffer | undefined;
  #executing = false;
  #ended = false;
  #writtenBefore = 0;
  #broken = false;
  #closeAfterAnswer = false;
  place = -1;

  constructor(socket: net.Socket, connection: Connection, options: H1ConnectionOptions) {
    this.#socket = socket;
    this.#connection = connection;
    this.#options = options;
    this.#since = performance.now();
    this.#reading = new ClientReading(socket, this.#since);
    this.#flush = () => {
      if (!socket.destroyed) this.#writer.flush();
    };
    this.#writer = new MessageWriter(socket, () => {
      atTurnEnd(this.#flush);
    });
    this.#arrivals = new TurnReader((chunk) => {
      this.#take(chunk);
    });
    this.#streamOptions = this.#optionsForStreams();
    this.#parser = new RequestParser(
      {
        head: (head) => {
          this.#begin(head);
        },
        data: (chunk) => {
          this.#stream?.bodyData(chunk);
        },
        end: (trailers) => {
          this.#stream?.bodyEnd(trailers);
        },
      },
      options.limits,
    );
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('drain', this.#onDrain);
    socket.on('close', this.#onClose);
  }

  /** Whether the client waits for an answer, or for the rest of one. */
  get owesAnswer(): boolean {
    return this.#phase === 'serving' || this.#writer.pending || this.#socket.writableLength > 0;
  }

  /** Closes the connection as soon as it owes no answer. */
  drain(): void {
    this.#arrivals.now();
    this.#closeAfterAnswer = true;
    if (this.#phase === 'idle') this.#close();
  }

  /** Cuts the connection off. */
  destroy(): void {
    this.#socket.destroy();
  }

  /** Looks whether the client has kept the proxy waiting for too long. */
  sweep(): void {
    const { headTimeoutMs, idleTimeoutMs, stallTimeoutMs } = this.#options;
    const now = performance.now();
    const waited = now - this.#since;
    const unread = this.#reading.look(now);
    switch (this.#phase) {
      case 'idle':
        if (this.#writer.isFull) {
          if (unread > stallTimeoutMs) this.#socket.destroy();
          return;
        }
        // A client that has sent nothing yet is held to the time of a head.
        if (waited > (this.#served ? idleTimeoutMs : headTimeoutMs)) this.#close();
        return;
      case 'head':
        if (waited > headTimeoutMs) this.#unreadable('slow');
        return;
      case 'serving':
        this.#sweepStream(waited, unread);
        return;
      case 'closing':
        if (waited > (this.#socket.writableFinished ? LINGER_MS : stallTimeoutMs)) this.#socket.destroy();
        return;
      case 'over':
    }
  }

  #sweepStream(waited: number, unread: number): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    const { stallTimeoutMs } = this.#options;
    if (this.#ended) this.#sweepHalfClosed(waited, unread);
    else if (this.#writer.isFull && unread > stallTimeoutMs) this.#socket.destroy();
    else if (waited > stallTimeoutMs) {
      // The rest of a body that nobody wants must come all the same before the next request can.
      if (stream.answered) this.#close();
      else if (stream.awaitsBody) stream.bodyFailed('slow');
    }
  }

  /**
   * A client that sends no more may still read, or be gone. While bytes wait for it, it is no slower than any other may be: one that is gone
   * answers the bytes before them with a reset.
   */
  #sweepHalfClosed(waited: number, unread: number): void {
    const { bytesWritten, writableLength } = this.#socket;
    if (writableLength > 0 || bytesWritten > this.#writtenBefore) this.#since = performance.now();
    else if (waited > HALF_CLOSED_MS) this.#socket.destroy();
    if (unread > this.#options.stallTimeoutMs) this.#socket.destroy();
    this.#writtenBefore = bytesWritten;
  }

  /** What follows a CONNECT belongs to another owner of the socket, so nothing may wait there. */
  readonly #onData = (chunk: Buffer): void => {
    if (this.#connection.inner === undefined) this.#take(chunk);
    else this.#arrivals.later(chunk);
  };

  #take(chunk: Buffer): void {
    if (this.#phase === 'closing' || this.#broken) return;
    // Bytes of a head buy no time, and those of a next request none for the answer: a head has so long from its first byte on.
    if (this.#stream?.requestComplete === false) this.#since = performance.now();
    if (this.#held !== undefined || this.#mustWait) this.#hold(chunk);
    else this.#read(chunk);
  }

  /** Whether the next request is not to be read yet: one is under way, or the client does not read its answers. */
  get #mustWait(): boolean {
    return this.#stream === undefined ? this.#writer.isFull : this.#stream.requestComplete;
  }

  readonly #onEnd = (): void => {
    this.#arrivals.now();
    this.#ended = true;
    this.#since = performance.now();
    this.#writtenBefore = this.#socket.bytesWritten;
    if (this.#held === undefined) this.#noMore();
  };

  /** The client sends no more, and everything it has sent was read. */
  #noMore(): void {
    if (this.#phase === 'serving') {
      if (this.#stream?.requestComplete === false) this.#socket.destroy();
    } else if (this.#phase === 'idle' || this.#phase === 'head') this.#close();
  }

  readonly #onDrain = (): void => {
    this.#since = performance.now();
    if (this.#stream === undefined) this.#readHeldSoon();
    else this.#stream.drained();
  };

  readonly #onClose = (): void => {
    const stream = this.#stream;
    this.#leave();
    stream?.clientGone();
  };

  /** Reads one request at most; what lies behind it is held. */
  #read(chunk: Buffer): void {
    if (this.#phase === 'idle') {
      this.#phase = 'head';
      this.#since = performance.now();
    }
    let next: number;
    this.#executing = true;
    try {
      next = this.#parser.execute(chunk);
    } catch (error) {
      if (!(error instanceof H1Error)) throw error;
      this.#unreadable(error);
      return;
    } finally {
      this.#executing = false;
    }
    if (this.#connectHead !== undefined) {
      this.#handOver(this.#connectHead, chunk.subarray(next));
      return;
    }
    if (next < chunk.length) this.#hold(chunk.subarray(next));
    else if (this.#ended) this.#noMore();
    // An empty line before a request is not one yet.
    if (this.#phase === 'head' && this.#parser.atMessageBoundary) this.#phase = 'idle';
    this.#advance();
  }

  #begin(head: H1RequestHead): void {
    this.#phase = 'serving';
    if (head.method === 'CONNECT') {
      this.#connectHead = head;
      return;
    }
    if (!head.keepAlive) this.#closeAfterAnswer = true;
    this.#stream = new H1Stream(head, this.#writer, this.#streamOptions);
    exchangeBegins();
    this.#options.request(head, this.#stream, this.#connection);
  }

  #optionsForStreams(): H1StreamOptions {
    return {
      reading: {
        pause: () => {
          this.#arrivals.pause();
          this.#socket.pause();
        },
        resume: () => {
          this.#resume();
        },
      },
      challenge: this.#connection.inner === undefined ? 'proxy' : 'request',
      fieldText: new FieldText(),
      persists: () => this.#persists(),
      waiting: () => {
        this.#since = performance.now();
      },
      ended: (persist) => {
        this.#since = performance.now();
        if (!persist) this.#closeAfterAnswer = true;
        if (!this.#executing) this.#advance();
      },
      breakOff: (reset) => {
        // TLS tells the end from a break by its close_notify; for TCP alone only a reset does.
        if (reset && !(this.#socket instanceof TLSSocket)) this.#socket.resetAndDestroy();
        else this.#socket.destroy();
      },
    };
  }

  /** Whether another request may follow: not when it could not be read, or when the client has said that it sends no more. */
  #persists(): boolean {
    return !this.#closeAfterAnswer && !(this.#ended && this.#held === undefined);
  }

  /** Goes on to the next request once this one is read and answered; or closes. */
  #advance(): void {
    const stream = this.#stream;
    if (stream?.answered !== true) return;
    if (!stream.requestComplete && !this.#closeAfterAnswer) return;
    this.#stream = undefined;
    exchangeEnds();
    this.#served = true;
    if (!this.#persists()) {
      this.#close();
      return;
    }
    this.#phase = 'idle';
    this.#since = performance.now();
    if (this.#socket.isPaused()) this.#resume();
    this.#readHeldSoon();
  }

  #resume(): void {
    this.#socket.resume();
    this.#arrivals.resume();
  }

  #hold(chunk: Buffer): void {
    this.#held = this.#held === undefined ? chunk : Buffer.concat([this.#held, chunk]);
    if (this.#held.length > MAX_HELD) this.#socket.pause();
  }

  /** In a turn of its own: a client that pipelines a thousand requests must not build a thousand frames on the stack. */
  #readHeldSoon(): void {
    if (this.#held === undefined) return;
    setImmediate(() => {
      const held = this.#held;
      if (this.#phase !== 'idle' || held === undefined || this.#mustWait) return;
      this.#held = undefined;
      this.#read(held);
    });
  }

  #unreadable(error: H1Error | 'slow'): void {
    this.#broken = true;
    this.#closeAfterAnswer = true;
    const stream = this.#stream;
    if (stream !== undefined) {
      // Within a body: the answer that is under way says it, or breaks off.
      stream.bodyFailed(error);
      this.#advance();
      return;
    }
    this.#phase = 'closing';
    this.#since = performance.now();
    this.#writer.flush();
    this.#options.unreadable(error, this.#socket, this.#connection);
  }

  #handOver(head: H1RequestHead, rest: Buffer): void {
    const socket = this.#socket;
    this.#writer.flush();
    socket.pause();
    this.#leave();
    this.#options.connect(head, socket, rest, this.#connection);
  }

  /** Says that no more comes, and gives the client the time to read what did. */
  #close(): void {
    this.#phase = 'closing';
    this.#since = performance.now();
    this.#held = undefined;
    this.#writer.flush();
    this.#socket.end();
    // Unread bytes would make the kernel reset the connection, and the client would lose the answer.
    this.#resume();
  }

  #leave(): void {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    this.#arrivals.drop();
    if (this.#stream !== undefined) exchangeEnds();
    this.#stream = undefined;
    this.#held = undefined;
    this.#socket.off('data', this.#onData).off('end', this.#onEnd).off('drain', this.#onDrain).off('close', this.#onClose);
    this.#options.left(this);
  }
}
