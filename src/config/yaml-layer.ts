import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type ErrorCode, type YAMLError } from 'yaml';
import type { Layer } from './layer.ts';
import type { ProblemList } from './problem.ts';
import { isTree, pathText, type Path } from './tree.ts';

/** No configuration is near this size; a larger file is not one. */
const MAX_CHARACTERS = 1_048_576;
/** The schema nests three deep; far more than that is an attack on the reader. */
const MAX_DEPTH = 16;
const MAX_SYNTAX_PROBLEMS = 10;

type Place = readonly [key: number, value: number];

/** Own words: the parser's messages quote the source, which may hold a credential in the wrong place. */
const SYNTAX: Readonly<Record<ErrorCode, readonly [what: string, right: string]>> = {
  ALIAS_PROPS: ['an alias with an anchor or tag', 'write the value itself'],
  BAD_ALIAS: ['an alias without its anchor', 'write the value itself, or quote a text that starts with *'],
  BAD_COLLECTION_TYPE: ['a tag that does not fit its value', 'remove the tag'],
  BAD_DIRECTIVE: ['a malformed % directive', 'remove the line'],
  BAD_DQ_ESCAPE: ['an unknown escape in a double-quoted text', 'use single quotes, or double the backslash'],
  BAD_INDENT: ['wrong indentation', 'indent the keys of one mapping by the same number of spaces'],
  BAD_PROP_ORDER: ['an anchor or tag in the wrong place', 'write the value alone'],
  BAD_SCALAR_START: ['a text that starts with a reserved character', 'put it in quotes'],
  BLOCK_AS_IMPLICIT_KEY: ['a mapping or list where a key is expected', 'write "key: value", one a line'],
  BLOCK_IN_FLOW: ['a block inside [ ] or { }', 'write it as a flow, or without the brackets'],
  DUPLICATE_KEY: ['a key that stands twice', 'keep one of them'],
  IMPOSSIBLE: ['something that is not YAML', 'write "key: value", one a line'],
  KEY_OVER_1024_CHARS: ['a key of more than 1024 characters', 'write "key: value", one a line'],
  MISSING_CHAR: ['a missing character', 'close every quote and bracket, and put a space after ":" and ","'],
  MULTILINE_IMPLICIT_KEY: ['a key over several lines', 'write "key: value" on one line'],
  MULTIPLE_ANCHORS: ['an anchor', 'write the value itself'],
  MULTIPLE_DOCS: ['a second YAML document', 'keep one document in the file'],
  MULTIPLE_TAGS: ['a tag', 'remove the tag'],
  NON_STRING_KEY: ['a key that is not a word', 'write "key: value", one a line'],
  RESOURCE_EXHAUSTION: ['a value that nests too deeply', 'remove the brackets'],
  TAB_AS_INDENT: ['a tab as indentation', 'indent with spaces'],
  TAG_RESOLVE_FAILED: ['an unknown tag', 'remove the tag'],
  UNEXPECTED_TOKEN: ['an unexpected character', 'write "key: value", one a line, and put special characters in quotes'],
};

/** The settings that the YAML `text` of `file` holds; what is wrong with it goes to `problems`. */
export function yamlLayer(file: string, text: string, problems: ProblemList): Layer | undefined {
  if (text.length > MAX_CHARACTERS) {
    problems.add(`${file}:1:1`, 'has more than 1048576 characters', 'name the configuration file of alter-proxy');
    return undefined;
  }
  const reader = new YamlReader(file, text, problems);
  return reader.layer();
}

class YamlReader implements Layer {
  tree: Record<string, unknown> = {};
  readonly #file: string;
  readonly #text: string;
  readonly #problems: ProblemList;
  readonly #lines = new LineCounter();
  readonly #places = new Map<string, Place>();

  constructor(file: string, text: string, problems: ProblemList) {
    this.#file = file;
    this.#text = text;
    this.#problems = problems;
  }

  layer(): Layer | undefined {
    const document = this.#parse();
    if (document === undefined) return undefined;
    const syntax = [...document.errors, ...document.warnings];
    if (syntax.length > 0) {
      for (const error of syntax.slice(0, MAX_SYNTAX_PROBLEMS)) this.#reportSyntax(error);
      return undefined;
    }
    const start = offsetOf(document.contents, 0);
    const before = this.#problems.size;
    const value = this.#read(document.contents, [], [start, start]) ?? {};
    if (this.#problems.size === before && !isTree(value)) {
      this.#problems.add(this.#at(start), 'the file does not hold a mapping', 'write "key: value", one a line');
      return undefined;
    }
    if (isTree(value)) this.tree = value;
    return this;
  }

  where(path: Path): string {
    return `${this.#at(this.#place(path)[1])}: ${pathText(path)}`;
  }

  whereKey(path: Path): string {
    return `${this.#at(this.#place(path)[0])}: ${pathText(path)}`;
  }

  #parse(): ReturnType<typeof parseDocument> | undefined {
    try {
      return parseDocument(this.#text, { lineCounter: this.#lines, prettyErrors: false, uniqueKeys: false, version: '1.2' });
    } catch (cause) {
      // Deep nesting exhausts the stack of the parser.
      if (!(cause instanceof RangeError)) throw cause;
      this.#problems.add(`${this.#file}:1:1`, ...SYNTAX.RESOURCE_EXHAUSTION);
      return undefined;
    }
  }

  #reportSyntax(error: YAMLError): void {
    this.#problems.add(this.#at(error.pos[0]), ...SYNTAX[error.code]);
  }

  #at(offset: number): string {
    const { line, col } = this.#lines.linePos(offset);
    return `${this.#file}:${Math.max(line, 1).toString()}:${Math.max(col, 1).toString()}`;
  }

  #place(path: Path): Place {
    for (let length = path.length; length >= 0; length--) {
      const place = this.#places.get(JSON.stringify(path.slice(0, length)));
      if (place !== undefined) return place;
    }
    return [0, 0];
  }

  /** The value of `node`; undefined when it was refused. */
  #read(node: unknown, path: Path, place: Place): unknown {
    this.#places.set(JSON.stringify(path), place);
    if (isAlias(node)) return this.#refuse(path, 'is an alias', 'write the value itself, or quote a text that starts with *');
    if (hasProperties(node))
      return this.#refuse(path, 'has an anchor or a tag', 'write the value alone, or quote a text that starts with & or !');
    if (path.length > MAX_DEPTH) return this.#refuse(path, 'nests too deeply', 'remove the brackets');
    if (isMap(node)) return this.#readMap(node.items, path);
    if (isSeq(node)) return this.#readList(node.items, path, place[1]);
    return isScalar(node) ? node.value : null;
  }

  #refuse(path: Path, what: string, right: string): unknown {
    this.#problems.add(path.length === 0 ? this.#at(this.#place(path)[1]) : this.where(path), what, right);
    return undefined;
  }

  #readList(items: readonly unknown[], path: Path, start: number): unknown[] | undefined {
    const values = items.map((item, index) => {
      const offset = offsetOf(item, start);
      return this.#read(item, [...path, index], [offset, offset]);
    });
    return values.includes(undefined) ? undefined : values;
  }

  #readMap(items: readonly { key: unknown; value: unknown }[], path: Path): Record<string, unknown> {
    const tree: Record<string, unknown> = {};
    for (const { key, value } of items) {
      const keyOffset = offsetOf(key, 0);
      if (!isScalar(key) || typeof key.value !== 'string' || hasProperties(key)) {
        this.#problems.add(this.#at(keyOffset), ...SYNTAX.NON_STRING_KEY);
        continue;
      }
      const childPath = [...path, key.value];
      if (Object.hasOwn(tree, key.value)) {
        this.#problems.add(`${this.#at(keyOffset)}: ${pathText(childPath)}`, 'stands twice', 'keep one of them');
        continue;
      }
      const read = this.#read(value, childPath, [keyOffset, offsetOf(value, keyOffset)]);
      if (read !== undefined) define(tree, key.value, read);
    }
    return tree;
  }
}

/** An own property, also when the key is `__proto__`: as a plain assignment it would vanish instead of being refused. */
function define(tree: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(tree, key, { value, enumerable: true, configurable: true, writable: true });
}

function offsetOf(node: unknown, fallback: number): number {
  const range = isTree(node) ? (node['range'] as readonly number[] | null | undefined) : undefined;
  return range?.[0] ?? fallback;
}

function hasProperties(node: unknown): boolean {
  return isTree(node) && (node['anchor'] !== undefined || node['tag'] !== undefined);
}
