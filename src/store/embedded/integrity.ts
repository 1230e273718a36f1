/**
 * Finds damage in an LMDB data file before LMDB maps it: LMDB trusts its file, and reading a page that was cut off or
 * overwritten ends the process with SIGBUS or SIGSEGV instead of an error.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import {
  branchChildren,
  DamageError,
  leafReferences,
  META_BYTES,
  overflowCount,
  PAGE_BRANCH,
  PAGE_LEAF,
  PAGE_OVERFLOW,
  pageKind,
  pageNumber,
  parseMeta,
  type Meta,
  type Tree,
} from './page-format.ts';

export { DamageError, LAYOUT_IS_KNOWN } from './page-format.ts';

const CHUNK_BYTES = 1 << 20;

/** Checks both meta pages of the data file, which is all that LMDB touches when it opens. Throws {@link DamageError}. */
export function checkMetaPages(file: string): void {
  withFile(file, (fd) => newestMeta(fd));
}

/**
 * Walks every page that the newest committed state reaches. The caller holds a read transaction, so that no writer
 * reuses one of these pages meanwhile. Throws {@link DamageError}.
 */
export function checkPages(file: string): void {
  withFile(file, (fd) => {
    const meta = newestMeta(fd);
    const walk = new PageWalk(new PageReader(fd, meta.pageSize), meta);
    walk.tree(meta.free);
    walk.tree(meta.main);
  });
}

function withFile(file: string, check: (fd: number) => void): void {
  const fd = openSync(file, 'r');
  try {
    check(fd);
  } finally {
    closeSync(fd);
  }
}

function newestMeta(fd: number): Meta {
  const first = parseMeta(readExactly(fd, 0, META_BYTES));
  const second = parseMeta(readExactly(fd, first.pageSize, META_BYTES));
  if (first.pageSize !== second.pageSize) throw new DamageError('the two heads of the file disagree');
  return first.txnId > second.txnId ? first : second;
}

function readExactly(fd: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  if (readSync(fd, bytes, 0, length, position) !== length) throw new DamageError('the file is cut off');
  return bytes;
}

/** Visits trees level by level in page order, so that the file is read from front to back. */
class PageWalk {
  readonly #reader: PageReader;
  readonly #lastPage: number;
  readonly #seen = new Set<number>();

  constructor(reader: PageReader, meta: Meta) {
    this.#reader = reader;
    this.#lastPage = meta.lastPage;
  }

  tree(tree: Tree): void {
    let level = tree.root === undefined ? [] : [tree.root];
    const subtrees: Tree[] = [];
    while (level.length > 0) {
      const next: number[] = [];
      for (const number of level.sort((a, b) => a - b)) next.push(...this.#visit(number, subtrees));
      level = next;
    }
    for (const subtree of subtrees) this.tree(subtree);
  }

  /** Checks one branch or leaf page; returns its children and adds the trees whose roots it holds. */
  #visit(number: number, subtrees: Tree[]): number[] {
    const page = this.#page(number);
    const kind = pageKind(page);
    if (kind === PAGE_BRANCH) return branchChildren(page);
    if (kind !== PAGE_LEAF) throw new DamageError(`page ${String(number)} is neither branch nor leaf`);
    const { overflows, trees } = leafReferences(page);
    for (const overflow of overflows) this.#overflow(overflow.page, overflow.count);
    subtrees.push(...trees);
    return [];
  }

  #overflow(number: number, count: number): void {
    const page = this.#page(number);
    if (pageKind(page) !== PAGE_OVERFLOW || overflowCount(page) !== count)
      throw new DamageError(`page ${String(number)} is not the value it should be`);
    if (number + count - 1 > this.#lastPage) throw new DamageError(`page ${String(number)} reaches past the end`);
    this.#reader.require(number + count - 1);
  }

  #page(number: number): Buffer {
    if (number < 2 || number > this.#lastPage) throw new DamageError(`page ${String(number)} does not exist`);
    if (this.#seen.has(number)) throw new DamageError(`page ${String(number)} is used twice`);
    this.#seen.add(number);
    const page = this.#reader.read(number);
    if (pageNumber(page) !== number) throw new DamageError(`page ${String(number)} was overwritten`);
    return page;
  }
}

/** Reads pages through one buffer of a megabyte. A page is valid until the next one is read. */
class PageReader {
  readonly #fd: number;
  readonly #pageSize: number;
  readonly #fileBytes: number;
  readonly #chunk = Buffer.alloc(CHUNK_BYTES);
  #chunkStart = -1;
  #chunkBytes = 0;

  constructor(fd: number, pageSize: number) {
    this.#fd = fd;
    this.#pageSize = pageSize;
    this.#fileBytes = fstatSync(fd).size;
  }

  require(number: number): void {
    if ((number + 1) * this.#pageSize > this.#fileBytes) throw new DamageError('the file is cut off');
  }

  read(number: number): Buffer {
    this.require(number);
    const position = number * this.#pageSize;
    const start = position - (position % CHUNK_BYTES);
    if (start !== this.#chunkStart) {
      this.#chunkBytes = readSync(this.#fd, this.#chunk, 0, CHUNK_BYTES, start);
      this.#chunkStart = start;
    }
    const at = position - start;
    if (at + this.#pageSize > this.#chunkBytes) throw new DamageError('the file is cut off');
    return this.#chunk.subarray(at, at + this.#pageSize);
  }
}
