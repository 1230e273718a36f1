const MAX_PATTERN = 200;
/** Longer values are no keys with a pattern, and would give a slow one time to be slow. */
const MAX_VALUE = 8192;
/** `+`, `*`, `{3,}`: how often a value may be walked over again. */
const MAX_OPEN_ENDS = 2;
const OPEN_END = /[+*]|\{[0-9]+,\}/g;

/**
 * What keeps `pattern` from being used on a value, or undefined. Only patterns that end soon on every value are taken: from `^` to `$`,
 * without references back, without looking ahead or behind, without a repetition inside a repeated group.
 */
export function patternFault(pattern: string): string | undefined {
  if (pattern.length > MAX_PATTERN) return `is longer than ${String(MAX_PATTERN)} characters`;
  if (!pattern.startsWith('^') || !pattern.endsWith('$')) return 'must reach from ^ to $';
  try {
    new RegExp(pattern, 'u');
  } catch {
    return 'is not a regular expression';
  }
  // What is escaped, and what stands in a class, repeats nothing.
  const bare = pattern
    .replace(/\\[1-9k]/g, '(?=')
    .replace(/\\./g, 'x')
    .replace(/\[[^\]]*\]/g, 'x');
  if (/\(\?(?!:)/.test(bare)) return 'looks ahead, behind or back, which can take for ever';
  if (repeatsARepetition(bare)) return 'repeats a repetition, which can take for ever';
  if ((bare.match(OPEN_END)?.length ?? 0) > MAX_OPEN_ENDS) return `has more than ${String(MAX_OPEN_ENDS)} repetitions without an end`;
  return topLevelAlternative(bare) ? 'has an alternative outside of a group, so that ^ and $ belong to one of them only' : undefined;
}

/** Whether `value` fits a pattern that {@link patternFault} passes. */
export function fitsPattern(pattern: string, value: string): boolean {
  return value.length <= MAX_VALUE && new RegExp(pattern, 'u').test(value);
}

/** A group with an end that is open, or with an alternative, is not repeated; a group that is repeated without an end holds no repetition. */
function repeatsARepetition(bare: string): boolean {
  const open: number[] = [];
  for (let at = 0; at < bare.length; at += 1) {
    if (bare[at] === '(') open.push(at);
    if (bare[at] !== ')') continue;
    const inside = bare.slice((open.pop() ?? 0) + 1, at).replace(/^\?:/, '');
    const after = bare.slice(at + 1);
    if (/^[+*]|^\{[0-9]+,\}/.test(after) && /[+*?{|(]/.test(inside)) return true;
    if (/^[{?]/.test(after) && /[+*]|\{[0-9]+,\}/.test(inside)) return true;
  }
  return false;
}

function topLevelAlternative(bare: string): boolean {
  let depth = 0;
  for (const character of bare) {
    if (character === '(') depth += 1;
    else if (character === ')') depth -= 1;
    else if (character === '|' && depth === 0) return true;
  }
  return false;
}
