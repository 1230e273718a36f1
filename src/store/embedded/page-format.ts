/**
 * LMDB's file format, as far as the integrity check reads it: 64-bit little-endian, data version 2, as lmdb-js 3 writes it
 * (liblmdb/mdb.c: MDB_page_header, MDB_meta, MDB_db, MDB_node).
 */
import { endianness } from 'node:os';

/** Bytes before the node pointers of a page; node offsets count from here. */
const PAGE_HEADER_BYTES = 24;
/** Bytes that hold a whole meta page's content, whatever the page size. */
export const META_BYTES = 168;

export const PAGE_BRANCH = 0x01;
export const PAGE_LEAF = 0x02;
export const PAGE_OVERFLOW = 0x04;
const PAGE_META = 0x08;
const PAGE_KIND_MASK = 0x6f;

const NODE_HEADER_BYTES = 8;
const NODE_BIG_DATA = 0x01;
const NODE_SUB_DATABASE = 0x02;

const MAGIC = 0xbeefc0de;
const DATA_VERSION = 2;
/** All bits set, as the nearest number. */
const NO_PAGE = 2 ** 64;

/** Whether files of this machine have the layout that this module reads. */
export const LAYOUT_IS_KNOWN = endianness() === 'LE' && (process.arch === 'x64' || process.arch === 'arm64');

/** What is wrong with a data file. */
export class DamageError extends Error {}

/** One tree of the file. */
export interface Tree {
  /** Page number of the root; undefined: the tree is empty. */
  readonly root: number | undefined;
}

/** The committed state that one meta page describes. */
export interface Meta {
  readonly txnId: number;
  readonly pageSize: number;
  readonly lastPage: number;
  readonly free: Tree;
  readonly main: Tree;
}

/** What a leaf node points to besides its own bytes. */
export interface LeafReferences {
  readonly overflows: readonly { readonly page: number; readonly count: number }[];
  readonly trees: readonly Tree[];
}

/** Reads a meta page. Throws {@link DamageError} when it is none. */
export function parseMeta(page: Buffer): Meta {
  if ((page.readUInt16LE(18) & PAGE_META) === 0 || page.readUInt32LE(24) !== MAGIC)
    throw new DamageError('the file does not begin like a store');
  const version = page.readUInt32LE(28) & 0xffff;
  if (version !== DATA_VERSION) throw new DamageError(`the file has data version ${String(version)}`);
  const pageSize = page.readUInt32LE(48);
  if (pageSize < 512 || pageSize > 65_536 || (pageSize & (pageSize - 1)) !== 0) throw new DamageError('the page size is impossible');
  return { txnId: uint64(page, 152), pageSize, lastPage: uint64(page, 144), free: parseTree(page, 48), main: parseTree(page, 96) };
}

/** Kind of the page (one of the PAGE_ constants above, or none of them when damaged). */
export function pageKind(page: Buffer): number {
  return page.readUInt16LE(18) & PAGE_KIND_MASK;
}

/** The number that a page says it has. */
export function pageNumber(page: Buffer): number {
  return uint64(page, 0);
}

/** Pages that an overflow page and its continuation take. */
export function overflowCount(page: Buffer): number {
  return page.readUInt32LE(20);
}

/** Page numbers of the children of a branch page. */
export function branchChildren(page: Buffer): number[] {
  return nodeOffsets(page).map((at) => {
    requireWithin(page, at + NODE_HEADER_BYTES + page.readUInt16LE(at + 6));
    return page.readUInt32LE(at) + page.readUInt16LE(at + 4) * 2 ** 32;
  });
}

/** What the nodes of a leaf page point to. */
export function leafReferences(page: Buffer): LeafReferences {
  const overflows: { page: number; count: number }[] = [];
  const trees: Tree[] = [];
  for (const at of nodeOffsets(page)) {
    const flags = page.readUInt16LE(at + 4);
    const data = at + NODE_HEADER_BYTES + page.readUInt16LE(at + 6);
    requireWithin(page, data + ((flags & NODE_BIG_DATA) === 0 ? page.readUInt32LE(at) : 24));
    if ((flags & NODE_BIG_DATA) !== 0) overflows.push({ page: uint64(page, data), count: uint64(page, data + 16) });
    else if ((flags & NODE_SUB_DATABASE) !== 0) trees.push(parseTree(page, data));
  }
  return { overflows, trees };
}

function parseTree(page: Buffer, at: number): Tree {
  requireWithin(page, at + 48);
  const root = uint64(page, at + 40);
  return { root: root === NO_PAGE ? undefined : root };
}

function nodeOffsets(page: Buffer): number[] {
  const lower = page.readUInt16LE(20);
  const upper = page.readUInt16LE(22);
  if (lower > upper || PAGE_HEADER_BYTES + upper > page.length) throw new DamageError('a page has impossible bounds');
  const offsets: number[] = [];
  for (let pointer = 0; pointer < lower; pointer += 2) {
    const at = PAGE_HEADER_BYTES + page.readUInt16LE(PAGE_HEADER_BYTES + pointer);
    if (at < PAGE_HEADER_BYTES + upper) throw new DamageError('a page has a node outside its bounds');
    requireWithin(page, at + NODE_HEADER_BYTES);
    offsets.push(at);
  }
  return offsets;
}

function requireWithin(page: Buffer, end: number): void {
  if (end > page.length) throw new DamageError('a node reaches past its page');
}

function uint64(page: Buffer, at: number): number {
  return page.readUInt32LE(at) + page.readUInt32LE(at + 4) * 2 ** 32;
}
