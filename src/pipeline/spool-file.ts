import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { open, unlink, type FileHandle } from 'node:fs/promises';
import path from 'node:path';

/**
 * AES in counter mode has no tag, and needs none here: what leaves is checked by the provider against the signed hash, which was made of the
 * bytes of the client and not of the file. Every file has a key of its own, so that the counter may begin at zero.
 */
const CIPHER = 'aes-256-ctr';
const KEY_BYTES = 32;
const FIRST_COUNTER = Buffer.alloc(16);

/** Pieces of this size leave a file, so that a slow receiver is seen to make progress. */
const PIECE_BYTES = 64 * 1024;

const FLAGS = constants.O_CREAT | constants.O_EXCL | constants.O_RDWR;

/** A temporary file without a name, whose content nobody can read who has not the key, which is in memory only. */
export class SpoolFile {
  readonly #handle: FileHandle;
  readonly #key = randomBytes(KEY_BYTES);
  readonly #ciphered: (bytes: number) => void;
  readonly #cipher = createCipheriv(CIPHER, this.#key, FIRST_COUNTER);
  /** Set where an open file cannot lose its name. */
  readonly #name: string | undefined;
  #length = 0;
  #closed: Promise<void> | undefined;

  private constructor(handle: FileHandle, name: string | undefined, ciphered: (bytes: number) => void) {
    this.#handle = handle;
    this.#name = name;
    this.#ciphered = ciphered;
  }

  /** Makes one in `folder`. `ciphered` is told of bytes that were encrypted or decrypted. Rejects with what the disk says. */
  static async create(folder: string, ciphered: (bytes: number) => void): Promise<SpoolFile> {
    const name = path.join(folder, `alter-proxy-${randomUUID()}.spool`);
    const handle = await open(name, FLAGS, 0o600);
    return new SpoolFile(handle, (await unlinked(name)) ? undefined : name, ciphered);
  }

  /** Bytes in the file. */
  get length(): number {
    return this.#length;
  }

  /** Adds `plain`, encrypted; one call after the other. */
  async append(plain: Buffer): Promise<void> {
    const piece = this.#cipher.update(plain);
    this.#ciphered(piece.length);
    for (let at = 0; at < piece.length;) {
      const { bytesWritten } = await this.#handle.write(piece, at, piece.length - at, this.#length);
      at += bytesWritten;
      this.#length += bytesWritten;
    }
  }

  /** Gives the content from its beginning, piece by piece, then undefined. There may be several readers. */
  reader(): () => Promise<Buffer | undefined> {
    const decipher = createDecipheriv(CIPHER, this.#key, FIRST_COUNTER);
    const piece = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, this.#length));
    let at = 0;
    return async () => {
      if (at === this.#length) return undefined;
      const { bytesRead } = await this.#handle.read(piece, 0, piece.length, at);
      if (bytesRead === 0) throw new Error('the file is shorter than what was written to it');
      at += bytesRead;
      this.#ciphered(bytesRead);
      return decipher.update(piece.subarray(0, bytesRead));
    };
  }

  /** Closes it, after what is under way, and once however often it is called. Never rejects: the file is nobody's any more. */
  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    this.#key.fill(0);
    await this.#handle.close().catch(() => undefined);
    if (this.#name !== undefined) await unlinked(this.#name);
  }
}

async function unlinked(name: string): Promise<boolean> {
  try {
    await unlink(name);
    return true;
  } catch {
    return false;
  }
}
