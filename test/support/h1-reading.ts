import { H1Error, type H1Reason } from '../../src/message/h1/error.ts';
import { DEFAULT_H1_LIMITS, type H1Limits } from '../../src/message/h1/limits.ts';
import { RequestParser, type H1RequestHead } from '../../src/message/h1/request-parser.ts';
import { ResponseParser, type H1ResponseHead } from '../../src/message/h1/response-parser.ts';
import type { HeaderList } from '../../src/message/header-list.ts';

/** One message as a reader understood it; text is latin1. */
export interface Reading {
  /** `GET /path` or `200 OK`. */
  readonly start: string;
  /** Name, value, name, value … */
  readonly headers: readonly string[];
  body: string;
  trailers: readonly string[];
  complete: boolean;
}

/**
 * How reading ended: at a boundary, with a message after which the connection is not used again, with bytes that belong to another
 * protocol, or with a refusal.
 */
export type Ending = 'clean' | 'not_persistent' | 'handed_over' | H1Reason;

/** What a reader made of one connection. */
export interface Transcript<Head> {
  readonly readings: Reading[];
  readonly heads: Head[];
  ends: Ending;
}

/** Reads requests as a server does: until the end, a refusal, or a request after which the connection closes. */
export function readRequests(pieces: readonly Buffer[], limits: H1Limits = DEFAULT_H1_LIMITS): Transcript<H1RequestHead> {
  const transcript: Transcript<H1RequestHead> = { readings: [], heads: [], ends: 'clean' };
  const last = () => transcript.readings.at(-1)!;
  const parser = new RequestParser(
    {
      head: (head) => {
        transcript.heads.push(head);
        transcript.readings.push(reading(`${head.method} ${head.target}`, head.headers));
      },
      data: (chunk) => (last().body += chunk.toString('latin1')),
      end: (trailers) => finishReading(last(), trailers),
    },
    limits,
  );
  transcript.ends = ending(() => {
    for (const piece of pieces) {
      for (let at = 0; at < piece.length;) {
        at = parser.execute(piece, at);
        const head = transcript.heads.at(-1);
        if (head === undefined || !last().complete || !parser.atMessageBoundary) continue;
        if (head.method === 'CONNECT') return 'handed_over';
        if (!head.keepAlive) return 'not_persistent';
      }
    }
    parser.finish();
    return 'clean';
  });
  return transcript;
}

/** What the response answers. */
export interface Asked {
  readonly method: string;
  readonly upgrade: boolean;
}

/** Reads the response to one request; `ends` is `clean` when nothing follows it. */
export function readResponse(pieces: readonly Buffer[], asked: Asked, limits: H1Limits = DEFAULT_H1_LIMITS): Transcript<H1ResponseHead> {
  return new ResponseReading(limits).read(pieces, asked, true);
}

/** Reads the responses on one connection. */
export class ResponseReading {
  readonly #parser: ResponseParser;
  #transcript: Transcript<H1ResponseHead> = { readings: [], heads: [], ends: 'clean' };
  #handedOver = false;

  constructor(limits: H1Limits = DEFAULT_H1_LIMITS) {
    this.#parser = new ResponseParser(
      {
        informational: (head) => this.#add(head, true),
        upgrade: (head) => {
          this.#add(head, true);
          this.#handedOver = true;
        },
        head: (head) => this.#add(head, false),
        data: (chunk) => (this.#last.body += chunk.toString('latin1')),
        end: (trailers) => finishReading(this.#last, trailers),
      },
      limits,
    );
  }

  /** Whether the response before was complete, so that there can be another one. */
  get goesOn(): boolean {
    return this.#parser.atMessageBoundary && this.#transcript.heads.at(-1)?.keepAlive === true;
  }

  /** The next response; with `isLast` the connection ends behind it. */
  read(pieces: readonly Buffer[], asked: Asked, isLast: boolean): Transcript<H1ResponseHead> {
    const transcript = (this.#transcript = { readings: [], heads: [], ends: 'clean' } as Transcript<H1ResponseHead>);
    this.#parser.expect(asked.method, asked.upgrade);
    transcript.ends = ending(() => {
      for (const piece of pieces) {
        this.#parser.execute(piece);
        if (this.#handedOver) return 'handed_over';
      }
      if (isLast) this.#parser.finish();
      return 'clean';
    });
    return transcript;
  }

  get #last(): Reading {
    return this.#transcript.readings.at(-1)!;
  }

  #add(head: H1ResponseHead, complete: boolean): void {
    this.#transcript.heads.push(head);
    this.#transcript.readings.push({ ...reading(`${String(head.status)} ${head.reason}`, head.headers), complete });
  }
}

/** Cuts bytes at the given offsets (any order, any number). */
export function cut(bytes: Buffer, offsets: readonly number[]): Buffer[] {
  const edges = [0, ...offsets.map((offset) => offset % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return edges.slice(1).map((edge, i) => bytes.subarray(edges[i] ?? 0, edge));
}

/** Every byte for itself. */
export function singly(bytes: Buffer): Buffer[] {
  return Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));
}

function reading(start: string, headers: HeaderList): Reading {
  return { start, headers: headers.flat(), body: '', trailers: [], complete: false };
}

function finishReading(into: Reading, trailers: HeaderList | undefined): void {
  into.trailers = trailers?.flat() ?? [];
  into.complete = true;
}

/** Errors other than a refusal are defects, and thrown. */
function ending(read: () => Ending): Ending {
  try {
    return read();
  } catch (error) {
    if (error instanceof H1Error) return error.reason;
    throw error;
  }
}
