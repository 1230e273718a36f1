import { isAlias, isCollection, isMap, isNode, isScalar, LineCounter, parseDocument, visit, type Document, type Node } from 'yaml';
import { CommandError } from '../errors.ts';

/** Members and indexes that lead to a value. */
export type Path = readonly (string | number)[];

/** Provider files are a few hundred characters long. */
const MAX_LENGTH = 65_536;

/** A provider file as data, which still knows where each value stood. */
export class ProviderDocument {
  readonly #fileName: string;
  readonly #lines = new LineCounter();
  readonly #document: Document;

  /** Reads one YAML document without anchors, aliases, tags and repeated keys. Throws `config_invalid`. */
  constructor(text: string, fileName: string) {
    this.#fileName = fileName;
    if (text.length > MAX_LENGTH) throw this.#errorAt(0, [], `is longer than ${MAX_LENGTH} characters; a provider file is not`);
    this.#document = this.#parse(text);
    const [fault] = [...this.#document.errors, ...this.#document.warnings];
    // The parser's own message may quote the file.
    if (fault !== undefined)
      throw this.#errorAt(fault.pos[0], [], `is not valid YAML here: ${fault.code.toLowerCase().replaceAll('_', ' ')}`);
    this.#refuseReferences();
  }

  /** The plain data. */
  data(): unknown {
    return this.#document.toJS({ maxAliasCount: 0 });
  }

  /** Where the value at `path` (or, when it is missing, its nearest parent) starts. */
  offsetOf(path: Path): number {
    for (let length = path.length; length > 0; length -= 1) {
      const node = this.#document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) return node.range[0];
    }
    return this.#document.contents?.range?.[0] ?? 0;
  }

  /** Where the key `name` of the mapping at `path` starts. */
  offsetOfKey(path: Path, name: string): number {
    const parent: unknown = path.length === 0 ? this.#document.contents : this.#document.getIn(path, true);
    const key = isMap(parent) ? parent.items.map((pair) => pair.key).find((own) => isScalar(own) && own.value === name) : undefined;
    return isNode(key) && key.range ? key.range[0] : this.offsetOf(path);
  }

  /** `config_invalid` for the value at `path`: `file:line:col path: what`. */
  error(path: Path, what: string): CommandError {
    return this.#errorAt(this.offsetOf(path), path, what);
  }

  /** `config_invalid` for the key `name` of the mapping at `path`. */
  keyError(path: Path, name: string, what: string): CommandError {
    return this.#errorAt(this.offsetOfKey(path, name), [...path, name], what);
  }

  #parse(text: string): Document {
    try {
      return parseDocument(text, { lineCounter: this.#lines, prettyErrors: false, uniqueKeys: true, strict: true, version: '1.2' });
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      throw this.#errorAt(0, [], 'nests too deeply');
    }
  }

  #refuseReferences(): void {
    const refuse = (node: Node): void => {
      const marked = isAlias(node) || ((isScalar(node) || isCollection(node)) && (node.anchor !== undefined || node.tag !== undefined));
      if (marked)
        throw this.#errorAt(node.range?.[0] ?? 0, [], 'holds an anchor, an alias or a tag; write the value itself, or put it in quotes');
    };
    visit(this.#document, { Node: (_, node) => refuse(node) });
  }

  #errorAt(offset: number, path: Path, what: string): CommandError {
    const { line, col } = this.#lines.linePos(offset);
    const place = `${this.#fileName}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
    const message = path.length === 0 ? `${place}: ${what}` : `${place} ${pathText(path)}: ${what}`;
    return new CommandError('config_invalid', message, { hint: 'Mend the line named above.' });
  }
}

/** `inject[0].header.name` */
function pathText(path: Path): string {
  return path.map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`)).join('');
}
