/** Matches canonical paths. */
export type PathMatcher = (path: string) => boolean;

const ANY = '**';
const ONE = '*';
const MAX_LENGTH = 1024;
/** So many `**` are enough for every API, and few enough that matching a long path stays cheap. */
const MAX_ANY = 4;

/**
 * What is wrong with a path pattern, or undefined. It starts with a slash; a segment is literal, `*` (exactly one) or `**` (any number, also
 * none). A star within a segment is refused: it would look like more than it is.
 */
export function faultOfPattern(pattern: string): string | undefined {
  if (!/^\/[!"$->@-[\]-~]*$/.test(pattern) || pattern.length > MAX_LENGTH)
    return 'must be a path that starts with a slash, percent-encoded, without query';
  const segments = pattern.slice(1).split('/');
  if (segments.some((segment) => segment.includes('*') && segment !== ANY && segment !== ONE))
    return 'may have * and ** only as whole segments, such as /v1/*/items';
  if (segments.filter((segment) => segment === ANY).length > MAX_ANY) return `may have ** ${String(MAX_ANY)} times at most`;
  return undefined;
}

/** The matcher of a sound pattern. Case counts, a slash at the end counts, and an encoded slash is matched by `**` or by itself only. */
export function pathMatcher(pattern: string): PathMatcher {
  if (!pattern.includes('*')) return (path) => path === pattern;
  const wanted = pattern.slice(1).split('/');
  if (wanted.indexOf(ANY) === wanted.length - 1 && !wanted.includes(ONE)) return prefixMatcher(pattern.slice(0, -(ANY.length + 1)));
  return (path) => matches(wanted, path.slice(1).split('/'));
}

/** `/v1/**`: `/v1` itself and everything below it, but not `/v1x`. */
function prefixMatcher(prefix: string): PathMatcher {
  const below = `${prefix}/`;
  return (path) => path === prefix || path.startsWith(below);
}

/** Goes back to the last `**` only, which is enough for wildcards that stand for any number of segments. */
function matches(wanted: readonly string[], segments: readonly string[]): boolean {
  let at = 0;
  let from = 0;
  let lastAny = -1;
  let resumeAt = 0;
  while (at < segments.length) {
    if (from < wanted.length && wanted[from] === ANY) {
      lastAny = from;
      resumeAt = at;
      from += 1;
    } else if (from < wanted.length && fits(wanted[from] ?? '', segments[at] ?? '')) {
      at += 1;
      from += 1;
    } else if (lastAny >= 0) {
      resumeAt += 1;
      at = resumeAt;
      from = lastAny + 1;
    } else return false;
  }
  return wanted.slice(from).every((rest) => rest === ANY);
}

/** A server that decodes once more sees two segments in `a%2Fb`. */
function fits(wanted: string, segment: string): boolean {
  if (wanted !== ONE) return wanted === segment;
  return segment !== '' && !segment.includes('%2F');
}
