import { foldUnderscores, isToken } from './syntax.ts';

/** Fields that say how a message is framed or routed, or what its connection does. */
export type FramingField = 'host' | 'expect' | 'upgrade' | 'connection' | 'te' | 'content-length' | 'transfer-encoding';

/** What is asked about a field name again and again, worked out once for each spelling. */
export interface FieldName {
  readonly spelling: string;
  /** The spelling as it stands before a value: with a colon and a space. */
  readonly prefix: string;
  /** Whether it can stand in a message at all (RFC 9110 §5.1). */
  readonly isToken: boolean;
  readonly lower: string;
  /** In lower case and with dashes for underscores, as CGI-like servers read it. */
  readonly folded: string;
  /** One of the proxy's own: `X-Alter-*` or `Proxy-*`. */
  readonly ofProxy: boolean;
  /** Belongs to one connection only (RFC 9110 §7.6.1, and the older ones of RFC 2616 §13.5.1), also with underscores. */
  readonly hopByHop: boolean;
  /** Which of the fields of framing it is; `underscored`: one of the lengths to servers that turn names into variables. */
  readonly framing: FramingField | 'underscored' | undefined;
}

const FRAMING: ReadonlySet<string> = new Set<FramingField>([
  ...(['host', 'expect', 'upgrade', 'connection', 'te', 'content-length', 'transfer-encoding'] as const),
]);

const HOP_BY_HOP: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'http2-settings'],
]);

/** Clients use a few hundred names in a few spellings; one that invents names must not fill the memory with them. */
const MAX_KNOWN = 4096;
const MAX_LENGTH = 128;

const known = new Map<string, FieldName>();

/** The name that is spelled so. */
export function fieldName(spelling: string): FieldName {
  const found = known.get(spelling);
  if (found !== undefined) return found;
  const name = describe(spelling);
  if (spelling.length > MAX_LENGTH) return name;
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(spelling, name);
  return name;
}

interface Spelled {
  readonly octets: Uint8Array;
  readonly name: FieldName;
}

/** Names by their octets: a name that is known is found without making a string of it. */
const spelled: (Spelled | undefined)[] = Array.from({ length: 4096 }, () => undefined);
const MAX_PROBES = 4;

/** Goes on with the hash of a name by one octet; it begins with 0. */
export function hashOctet(hash: number, octet: number): number {
  return (Math.imul(hash, 31) + octet) | 0;
}

/** The name in `octets` from `start` to `end`, whose {@link hashOctet} is `hash`. */
export function fieldNameAt(octets: Buffer, start: number, end: number, hash: number): FieldName {
  if (end - start > MAX_LENGTH) return fieldName(octets.toString('latin1', start, end));
  for (let probe = 0; probe < MAX_PROBES; probe += 1) {
    const slot = (hash + probe) & (spelled.length - 1);
    const found = spelled[slot];
    if (found === undefined) return keep(slot, octets, start, end);
    if (isSame(found.octets, octets, start, end)) return found.name;
  }
  // Where names collide, the last one stays: names that nobody sends again do not hold a place for good.
  return keep(hash & (spelled.length - 1), octets, start, end);
}

function keep(slot: number, octets: Buffer, start: number, end: number): FieldName {
  const name = fieldName(octets.toString('latin1', start, end));
  spelled[slot] = { octets: Uint8Array.from(octets.subarray(start, end)), name };
  return name;
}

function isSame(own: Uint8Array, octets: Uint8Array, start: number, end: number): boolean {
  if (own.length !== end - start) return false;
  for (let i = 0; i < own.length; i += 1) if (own[i] !== octets[start + i]) return false;
  return true;
}

function describe(spelling: string): FieldName {
  const lower = spelling.toLowerCase();
  const folded = foldUnderscores(lower);
  return Object.freeze({
    spelling,
    prefix: `${spelling}: `,
    isToken: isToken(spelling),
    lower,
    folded,
    ofProxy: folded.startsWith('x-alter-') || folded.startsWith('proxy-'),
    hopByHop: HOP_BY_HOP.has(folded),
    framing: framingOf(lower, folded),
  });
}

function framingOf(lower: string, folded: string): FieldName['framing'] {
  if (FRAMING.has(lower)) return lower as FramingField;
  return folded === 'content-length' || folded === 'transfer-encoding' ? 'underscored' : undefined;
}
