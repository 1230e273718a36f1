import { createHash } from 'node:crypto';

/** Pieces below this size are copied together: a body that trickles in would otherwise be held in far more memory than it has bytes. */
const MIN_OWN_PIECE = 4 * 1024;
const SLAB_BYTES = 16 * 1024;

/** The data of one chunk after another: hashed as it arrives, and held, mostly uncopied, until its signature is known. */
export class ChunkData {
  #hash = createHash('sha256');
  #pieces: Buffer[] = [];
  #slab: Buffer | undefined;
  /** What was copied into the slab and stands in no piece yet. */
  #slabFrom = 0;
  #slabTo = 0;

  /** Holds the bytes of `chunk` from `from` to `heldTo`; those up to `dataTo` are data. */
  add(chunk: Buffer, from: number, dataTo: number, heldTo: number): void {
    this.#hash.update(from === 0 && dataTo === chunk.length ? chunk : chunk.subarray(from, dataTo));
    if (heldTo - from < MIN_OWN_PIECE) this.#copy(chunk, from, heldTo);
    else {
      this.#closeSlab();
      this.#pieces.push(chunk.subarray(from, heldTo));
    }
  }

  /** Holds bytes that are no data. */
  addFraming(bytes: Buffer): void {
    this.#copy(bytes, 0, bytes.length);
  }

  /** SHA-256 in hex of the data, which is complete. */
  digest(): string {
    const digest = this.#hash.digest('hex');
    this.#hash = createHash('sha256');
    return digest;
  }

  /** What was held, which is held no longer. */
  take(): readonly Buffer[] {
    this.#closeSlab();
    const pieces = this.#pieces;
    this.#pieces = [];
    return pieces;
  }

  #copy(chunk: Buffer, from: number, to: number): void {
    if (this.#slab === undefined || this.#slab.length - this.#slabTo < to - from) {
      this.#closeSlab();
      this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
      this.#slabFrom = this.#slabTo = 0;
    }
    this.#slabTo += chunk.copy(this.#slab, this.#slabTo, from, to);
  }

  #closeSlab(): void {
    if (this.#slab === undefined || this.#slabFrom === this.#slabTo) return;
    this.#pieces.push(this.#slab.subarray(this.#slabFrom, this.#slabTo));
    this.#slabFrom = this.#slabTo;
  }
}
