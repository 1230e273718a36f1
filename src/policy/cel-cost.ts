import type { ASTNode } from '@marcbachmann/cel-js';
import { isZone } from './zone-clock.ts';

/** Says what is wrong at `node`; does not return. */
export type Refuse = (node: ASTNode, what: string) => never;

/** Each goes over a list; one within another would multiply the cost. */
const MACROS: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'filter']);
/** Functions whose value is about as long as what they are given; that of the others has a bound. */
const ON_TEXTS: ReadonlySet<string> = new Set(['lowerAscii', 'upperAscii', 'trim', 'string']);
/** Functions that fail on some values. */
const CONVERSIONS: ReadonlySet<string> = new Set(['int', 'double', 'timestamp']);
/** Functions that need to look at no more than the shorter of two texts. */
const COMPARING: ReadonlySet<string> = new Set(['startsWith', 'endsWith']);
const CLOCKS: ReadonlySet<string> = new Set(['hour', 'minute', 'weekday']);
const PARTS_OF_TIME: readonly string[] = [
  ...['getFullYear', 'getMonth', 'getDate', 'getDayOfMonth', 'getDayOfWeek'],
  ...['getHours', 'getMinutes', 'getSeconds', 'getMilliseconds'],
];
const FUNCTIONS: ReadonlySet<string> = new Set([
  ...['has', 'size', 'startsWith', 'endsWith', 'contains', 'duration'],
  ...[...MACROS, ...ON_TEXTS, ...CONVERSIONS, ...CLOCKS, ...PARTS_OF_TIME],
]);
/** Variables with members that are always there. */
const RECORDS: ReadonlySet<unknown> = new Set(['request', 'principal', 'grant', 'time']);
const DURATION = /^[-+]?(\d{1,9}(\.\d{1,9})?(ns|us|ms|s|m|h))+$/;

/** What an evaluation may take, in steps. One is what it takes to look at one character: some 10 ns. */
const MAX_STEPS = 2 ** 19;
/** What it takes to make an error, which `||`, `&&`, `all` and `exists` may catch. */
const STEPS_OF_ERROR = 2048;
/** How many elements a list or map has at most. */
const MAX_ELEMENTS = 64;
/** Search for a longer text can take as many steps as the product of both lengths. */
const MAX_SOUGHT = 250;
/** Characters of what is not counted at each request: host, names and ids, and what stands in the expression. */
const ALWAYS = 1024;

/** The variable of a macro. */
interface Item {
  readonly name: unknown;
  readonly length: number;
}

/**
 * How many characters the request may have, in all texts that its client chooses, for `ast` to be evaluated. Calls `refuse` for what has no
 * bound, and for what takes too long on any request.
 */
export function longestRequest(ast: ASTNode, refuse: Refuse): number {
  const cost = new Cost(refuse);
  cost.add(ast, 1, undefined);
  if (cost.fixed + cost.perCharacter * ALWAYS > MAX_STEPS) refuse(ast, 'compares, computes or looks up too much, above all within a macro');
  return (MAX_STEPS - cost.fixed) / cost.perCharacter - ALWAYS;
}

class Cost {
  readonly #refuse: Refuse;
  fixed = 0;
  /** Steps for each character of the request. */
  perCharacter = 0;

  constructor(refuse: Refuse) {
    this.#refuse = refuse;
  }

  /**
   * Adds what it takes to evaluate `node` so many `times`. How long its value can be, as a multiple of the texts of the request; 0: no longer
   * than what stands in the expression.
   */
  add(node: ASTNode, times: number, item: Item | undefined): number {
    switch (node.op) {
      case 'value':
        return typeof node.args === 'string' && node.args.length > MAX_SOUGHT ? 1 : 0;
      case 'id':
        return node.args === item?.name ? item.length : 1;
      case '.':
      case '.?':
      case '[]':
      case '[?]':
        return this.#access(node.args[0], node.args[1], times, item);
      case 'list':
      case 'map':
      case '?:':
        return this.#addAll(node, times, item);
      case 'call':
        return this.#call(node, node.args[0], node.args[1], times, item);
      case 'rcall':
        if (MACROS.has(node.args[0])) return this.#macro(node, node.args[0], node.args[1], node.args[2], times, item);
        return this.#call(node, node.args[0], [node.args[1], ...node.args[2]], times, item);
      case '+': {
        const length = this.#addAll(node, times, item) + 1;
        this.fixed += times * STEPS_OF_ERROR;
        this.perCharacter += times * length;
        return length;
      }
      case '-':
      case '*':
      case '/':
      case '%':
        this.fixed += times * STEPS_OF_ERROR;
        this.#addAll(node, times, item);
        return 0;
      case '&&':
      case '||':
      case '!_':
      case '-_':
        this.#addAll(node, times, item);
        return 0;
      default:
        this.#compare(childrenOf(node), times, item);
        return 0;
    }
  }

  #addAll(node: ASTNode, times: number, item: Item | undefined): number {
    return childrenOf(node).reduce((sum, child) => sum + this.add(child, times, item), 0);
  }

  #access(object: ASTNode, key: ASTNode | string, times: number, item: Item | undefined): number {
    const length = this.add(object, times, item);
    const isThere = typeof key === 'string' && object.op === 'id' && RECORDS.has(object.args) && object.args !== item?.name;
    if (typeof key !== 'string') this.perCharacter += times * this.add(key, times, item);
    if (!isThere) this.fixed += times * STEPS_OF_ERROR;
    return length;
  }

  /** As soon as one side has a bound, the rest of the other is not looked at. */
  #compare(sides: readonly ASTNode[], times: number, item: Item | undefined): void {
    const lengths = sides.map((side) => this.add(side, times, item));
    if (!lengths.includes(0)) this.perCharacter += times * sumOf(lengths);
  }

  #call(node: ASTNode, name: string, args: readonly ASTNode[], times: number, item: Item | undefined): number {
    this.#checkCall(node, name, args);
    if (CONVERSIONS.has(name)) this.fixed += times * STEPS_OF_ERROR;
    if (COMPARING.has(name)) {
      this.#compare(args, times, item);
      return 0;
    }
    const lengths = args.map((arg) => this.add(arg, times, item));
    if (name === 'contains' && lengths[1] !== 0)
      this.#refuse(node, `uses contains() with something else than a text in quotes of at most ${String(MAX_SOUGHT)} characters`);
    this.perCharacter += times * sumOf(lengths);
    return ON_TEXTS.has(name) ? Math.max(1, sumOf(lengths)) : 0;
  }

  #checkCall(node: ASTNode, name: string, args: readonly ASTNode[]): void {
    if (!FUNCTIONS.has(name)) this.#refuse(node, `uses ${name}(), which is none of ${[...FUNCTIONS].join(', ')}`);
    if (PARTS_OF_TIME.includes(name) && args.length > 1)
      this.#refuse(node, `uses ${name}() with a zone; use time.hour, time.minute or time.weekday`);
    if (CLOCKS.has(name) && !isText(args[1], isZone))
      this.#refuse(node, `uses ${name}() without an IANA time zone in quotes, such as "Europe/Berlin" or "UTC"`);
    if (name === 'duration' && !isText(args[0], (text) => DURATION.test(text)))
      this.#refuse(node, 'uses duration() without a duration in quotes, such as "90s" or "1h30m"');
  }

  #macro(
    node: ASTNode,
    name: string,
    list: ASTNode,
    [variable, ...steps]: readonly ASTNode[],
    times: number,
    item: Item | undefined,
  ): number {
    if (item !== undefined || holds(list, (part) => part.op === 'rcall' && MACROS.has(part.args[0])))
      this.#refuse(node, `uses ${name}() within another one`);
    if (holds(list, (part) => part.op === '+')) this.#refuse(node, `uses ${name}() on a list that is put together with +`);
    const length = this.add(list, times, item);
    const elements = list.op === 'list' ? Math.max(1, list.args.length) : MAX_ELEMENTS;
    // Together, the elements are as long as the list.
    const element = { name: variable?.args, length: length / elements };
    for (const step of steps) this.add(step, times * elements, element);
    return name === 'filter' ? length : 0;
  }
}

function childrenOf(node: ASTNode): readonly ASTNode[] {
  return [node.args].flat(3).filter((part): part is ASTNode => typeof part === 'object' && part !== null && 'op' in part);
}

function holds(node: ASTNode, found: (part: ASTNode) => boolean): boolean {
  return found(node) || childrenOf(node).some((child) => holds(child, found));
}

function isText(node: ASTNode | undefined, accepts: (text: string) => boolean): boolean {
  return node?.op === 'value' && typeof node.args === 'string' && accepts(node.args);
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
