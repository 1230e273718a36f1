import { foldUnderscores, isToken } from './syntax.ts';

/** What is asked about a field name again and again, worked out once for each spelling. */
export interface FieldName {
  /** Whether it can stand in a message at all (RFC 9110 §5.1). */
  readonly isToken: boolean;
  readonly lower: string;
  /** In lower case and with dashes for underscores, as CGI-like servers read it. */
  readonly folded: string;
  /** One of the proxy's own: `X-Alter-*` or `Proxy-*`. */
  readonly ofProxy: boolean;
}

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

function describe(spelling: string): FieldName {
  const lower = spelling.toLowerCase();
  const folded = foldUnderscores(lower);
  return Object.freeze({
    isToken: isToken(spelling),
    lower,
    folded,
    ofProxy: folded.startsWith('x-alter-') || folded.startsWith('proxy-'),
  });
}
