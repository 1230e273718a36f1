/**
 * How `node:http` reads bytes: a real server and a real client on a loopback socket, one connection for each input.
 */
import { once, type EventEmitter } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import type { Asked, Reading } from './h1-reading.ts';

/** What Node read, and the code of the error with which it stopped. */
export interface NodeTranscript {
  readonly readings: Reading[];
  error: string | undefined;
}

const DEADLINE_MS = 10_000;
const GENEROUS = { maxHeaderSize: 1024 * 1024 };

/** Reads requests with one `http.Server`. */
export class NodeRequestReader {
  readonly #server: http.Server;
  readonly #transcripts = new WeakMap<object, NodeTranscript>();
  #current: NodeTranscript = { readings: [], error: undefined };
  #closed: Promise<unknown> = Promise.resolve();

  private constructor() {
    const onRequest = (request: http.IncomingMessage, response: http.ServerResponse) => this.#record(request, () => response.end());
    this.#server = http.createServer({ ...GENEROUS, keepAliveTimeout: DEADLINE_MS }, onRequest);
    this.#server.maxHeadersCount = 0;
    this.#server.on('checkContinue', onRequest).on('checkExpectation', onRequest);
    this.#server.on('connect', (request: http.IncomingMessage, socket: net.Socket) => {
      this.#record(request, () => socket.destroy());
    });
    this.#server.on('connection', (socket) => {
      this.#transcripts.set(socket, this.#current);
      this.#closed = closing(socket);
    });
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      const transcript = this.#transcripts.get(socket);
      if (transcript !== undefined) transcript.error ??= error.code ?? error.message;
      // What was parsed before the error is still on its way to its listeners.
      setImmediate(() => setImmediate(() => socket.destroy()));
    });
  }

  static async start(): Promise<NodeRequestReader> {
    const reader = new NodeRequestReader();
    reader.#server.listen(0, '127.0.0.1');
    await once(reader.#server, 'listening');
    return reader;
  }

  async read(bytes: Buffer): Promise<NodeTranscript> {
    const transcript: NodeTranscript = { readings: [], error: undefined };
    this.#current = transcript;
    const accepted = once(this.#server, 'connection');
    const socket = net.connect((this.#server.address() as net.AddressInfo).port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.end(bytes);
    socket.resume();
    await accepted;
    await withDeadline(Promise.all([this.#closed, closing(socket)]), bytes);
    return transcript;
  }

  async close(): Promise<void> {
    this.#server.close();
    await once(this.#server, 'close');
  }

  #record(request: http.IncomingMessage, done: () => void): void {
    const transcript = this.#transcripts.get(request.socket);
    if (transcript === undefined) throw new Error('a request came on an unknown connection');
    const reading = follow(request, `${request.method ?? ''} ${request.url ?? ''}`, done);
    transcript.readings.push(reading);
  }
}

/** Reads responses with `http.request`. */
export class NodeResponseReader {
  readonly #origin: net.Server;
  #bytes: Buffer = Buffer.alloc(0);

  private constructor() {
    this.#origin = net.createServer({ noDelay: true }, (socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(this.#bytes));
    });
  }

  static async start(): Promise<NodeResponseReader> {
    const reader = new NodeResponseReader();
    reader.#origin.listen(0, '127.0.0.1');
    await once(reader.#origin, 'listening');
    return reader;
  }

  async read(bytes: Buffer, asked: Asked): Promise<NodeTranscript> {
    this.#bytes = bytes;
    const transcript: NodeTranscript = { readings: [], error: undefined };
    const headers = asked.upgrade ? { Connection: 'Upgrade', Upgrade: 'websocket' } : { Connection: 'close' };
    const path = asked.method === 'CONNECT' ? 'a.test:443' : '/';
    const { port } = this.#origin.address() as net.AddressInfo;
    const request = http.request({ ...GENEROUS, port, host: '127.0.0.1', method: asked.method, path, headers, agent: false });
    request.maxHeadersCount = 0;
    await withDeadline(recordResponse(request, transcript), bytes);
    return transcript;
  }

  async close(): Promise<void> {
    this.#origin.close();
    await once(this.#origin, 'close');
  }
}

function recordResponse(request: http.ClientRequest, transcript: NodeTranscript): Promise<void> {
  const add = (message: Pick<http.IncomingMessage, 'statusCode' | 'statusMessage' | 'rawHeaders'>) => {
    const start = `${String(message.statusCode)} ${message.statusMessage ?? ''}`;
    transcript.readings.push({ start, headers: message.rawHeaders, body: '', trailers: [], complete: true });
  };
  const handOver = (message: http.IncomingMessage, socket: net.Socket) => {
    add(message);
    socket.destroy();
  };
  request.on('information', (info) => add(info));
  request.on('upgrade', handOver).on('connect', handOver);
  request.on('response', (message) => {
    transcript.readings.push(follow(message, `${String(message.statusCode)} ${message.statusMessage ?? ''}`, () => undefined));
  });
  request.on('error', (error: NodeJS.ErrnoException) => (transcript.error ??= error.code ?? error.message));
  const closed = closing(request);
  request.end();
  return closed;
}

/** Collects a body; `complete` once its end was read. */
function follow(message: http.IncomingMessage, start: string, done: () => void): Reading {
  const reading: Reading = { start, headers: message.rawHeaders, body: '', trailers: [], complete: false };
  message.on('data', (chunk: Buffer) => (reading.body += chunk.toString('latin1')));
  message.on('error', () => undefined);
  message.on('end', () => {
    reading.complete = message.complete;
    reading.trailers = message.rawTrailers;
    done();
  });
  return reading;
}

/** Unlike `once`, an error before does not end the wait. */
function closing(emitter: EventEmitter): Promise<void> {
  return new Promise((resolve) => {
    emitter.once('close', () => resolve());
  });
}

async function withDeadline(done: Promise<unknown>, bytes: Buffer): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`node:http did not finish with ${JSON.stringify(bytes.toString('latin1'))}`)), DEADLINE_MS);
  });
  try {
    await Promise.race([done, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
