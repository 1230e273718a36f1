import { AlterError } from '../../errors.ts';
import type { BodyTransform } from '../../message/body.ts';
import { H1Error } from '../../message/h1/error.ts';
import { LineReader } from '../../message/h1/line-reader.ts';
import { CR, LF } from '../../message/h1/octets.ts';
import type { HeaderList } from '../../message/header-list.ts';
import { malformed } from '../../message/malformed.ts';
import { ChunkData } from './chunk-data.ts';
import { ChunkLines, type ChunkLine } from './chunk-line.ts';
import { SignatureChain, type ChunkSigning } from './chunk-signature.ts';
import { TrailerSection } from './chunk-trailers.ts';

/** How the body is framed, as its head says. */
export interface ChunkMode {
  /** X-Amz-Content-Sha256 ends with `-TRAILER`: headers and a signature of them stand behind the last chunk. */
  readonly trailers: boolean;
  /** X-Amz-Decoded-Content-Length. */
  readonly decodedLength: number | undefined;
  /** The largest chunk that is taken, which is what one request may have to hold in memory. Default {@link MAX_CHUNK_BYTES}. */
  readonly maxChunkBytes?: number;
}

/** SDKs write chunks of 64 or 128 KiB. */
export const MAX_CHUNK_BYTES = 1024 * 1024;

const CRLF = Buffer.from('\r\n');

/**
 * Signs the chunks of an `aws-chunked` body anew while it flows: STREAMING-AWS4-HMAC-SHA256-PAYLOAD, its form with trailers, and the two of
 * SigV4a. The signature of a chunk stands before its data, so one chunk is held at a time; its boundaries stay where the client drew them,
 * and what leaves is exactly as long as what came.
 *
 * Its methods throw AlterError: `malformed_request` when the framing is not the one that was announced, `body_too_large_to_sign` for a chunk
 * above `maxChunkBytes`. Nothing of a chunk leaves before the whole chunk has been checked, and the last one leaves together with what stands
 * behind it.
 */
export function resignChunks(signing: ChunkSigning, mode: ChunkMode): BodyTransform {
  return new ChunkStream(new SignatureChain(signing), mode);
}

class ChunkStream implements BodyTransform {
  readonly #chain: SignatureChain;
  readonly #mode: ChunkMode;
  readonly #chunkLines: ChunkLines;
  readonly #data = new ChunkData();
  readonly #lines = new LineReader();
  #phase: 'line' | 'data' | 'cr' | 'lf' | 'trailers' | 'complete' = 'line';
  #line: ChunkLine = { digits: '', size: 0 };
  #trailers: TrailerSection | undefined;
  /** Bytes of data that the current chunk is still to have. */
  #left = 0;
  #decoded = 0;

  constructor(chain: SignatureChain, mode: ChunkMode) {
    this.#chain = chain;
    this.#mode = mode;
    this.#chunkLines = new ChunkLines(chain.width);
  }

  write(chunk: Buffer): readonly Buffer[] {
    const leaving: Buffer[] = [];
    let at = 0;
    while (at < chunk.length) at = this.#step(chunk, at, leaving);
    return leaving;
  }

  end(trailers: HeaderList | undefined): { readonly pieces: readonly Buffer[]; readonly trailers: HeaderList | undefined } {
    if (this.#phase !== 'complete') throw malformed('The signed body ends before its last chunk.');
    return { pieces: [], trailers };
  }

  #step(chunk: Buffer, at: number, leaving: Buffer[]): number {
    switch (this.#phase) {
      case 'line':
        return this.#readLine(chunk, at, this.#chunkLines.maxBytes, (line) => {
          this.#begin(this.#chunkLines.read(line));
        });
      case 'data':
        return this.#readData(chunk, at, leaving);
      case 'cr':
        if (chunk[at] !== CR) throw badEnd();
        this.#phase = 'lf';
        return at + 1;
      case 'lf':
        if (chunk[at] !== LF) throw badEnd();
        this.#data.addFraming(CRLF);
        this.#finish(leaving);
        return at + 1;
      case 'trailers':
        return this.#readTrailers(chunk, at, leaving);
      case 'complete':
        throw malformed('Behind the end of the signed body something follows.');
    }
  }

  #begin(line: ChunkLine): void {
    const { decodedLength, trailers, maxChunkBytes = MAX_CHUNK_BYTES } = this.#mode;
    if (line.size > maxChunkBytes) {
      throw new AlterError('body_too_large_to_sign', { detail: `A signed chunk may have ${maxChunkBytes} bytes; send smaller ones.` });
    }
    this.#line = line;
    this.#left = line.size;
    this.#decoded += line.size;
    if (decodedLength !== undefined && (line.size === 0 ? this.#decoded !== decodedLength : this.#decoded > decodedLength)) {
      throw malformed('The chunks of the signed body are not as long together as X-Amz-Decoded-Content-Length says.');
    }
    if (line.size > 0) this.#phase = 'data';
    else this.#phase = trailers ? 'trailers' : 'cr';
  }

  #readData(chunk: Buffer, from: number, leaving: Buffer[]): number {
    const dataTo = Math.min(chunk.length, from + this.#left);
    this.#left -= dataTo - from;
    // The CRLF behind the data mostly comes with it, and can then leave with it, uncopied.
    const whole = this.#left === 0 && chunk[dataTo] === CR && chunk[dataTo + 1] === LF;
    const heldTo = whole ? dataTo + CRLF.length : dataTo;
    this.#data.add(chunk, from, dataTo, heldTo);
    if (whole) this.#finish(leaving);
    else if (this.#left === 0) this.#phase = 'cr';
    return heldTo;
  }

  /** The chunk has come as a whole. */
  #finish(leaving: Buffer[]): void {
    leaving.push(Buffer.from(this.#signedLine(), 'latin1'), ...this.#data.take());
    this.#phase = this.#line.size === 0 ? 'complete' : 'line';
  }

  #signedLine(): string {
    return this.#chunkLines.write(this.#line.digits, this.#chain.chunk(this.#data.digest()));
  }

  #readTrailers(chunk: Buffer, from: number, leaving: Buffer[]): number {
    const section = (this.#trailers ??= new TrailerSection(this.#chain.width));
    return this.#readLine(chunk, from, section.room, (line) => {
      if (!section.take(line)) return;
      const lastChunk = this.#signedLine();
      leaving.push(Buffer.from(lastChunk + section.sign(this.#chain), 'latin1'));
      this.#phase = 'complete';
    });
  }

  /** Hands a line that is complete to `take`; returns the index of the first byte not read. */
  #readLine(chunk: Buffer, from: number, limit: number, take: (line: string) => void): number {
    const lines = this.#lines;
    const line = boundedLine(() => lines.read(chunk, from, limit, 'chunk_line_too_long'));
    if (line !== undefined) take(line);
    return lines.next;
  }
}

function boundedLine(read: () => string | undefined): string | undefined {
  try {
    return read();
  } catch (error) {
    throw error instanceof H1Error ? malformed('A line between the chunks of the signed body is too long.') : error;
  }
}

function badEnd(): AlterError {
  return malformed('A chunk of the signed body is not as long as its size says.');
}
