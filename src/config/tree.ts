/** Settings in the spelling of the file: mappings, lists and scalars. */
export type SettingsTree = Record<string, unknown>;

/** Where a value stands in a tree: `['intercept', 'pass_through', 2]`. */
export type Path = readonly (string | number)[];

/** Whether `value` is a mapping. */
export function isTree(value: unknown): value is SettingsTree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at `path`, or undefined. */
export function valueAt(tree: unknown, path: Path): unknown {
  let value = tree;
  for (const segment of path) {
    if (Array.isArray(value)) value = value[Number(segment)] as unknown;
    else if (isTree(value) && Object.hasOwn(value, segment)) value = value[segment];
    else return undefined;
  }
  return value;
}

/** Writes `value` at `path`, and makes the mappings that lead there. */
export function setAt(tree: SettingsTree, path: readonly string[], value: unknown): void {
  let at = tree;
  for (const segment of path.slice(0, -1)) {
    const next = at[segment];
    at = isTree(next) ? next : (at[segment] = {});
  }
  const last = path.at(-1);
  if (last !== undefined) at[last] = value;
}

/** `path` as messages spell it: `intercept.pass_through[2]`, `default_grants["api.example.com"]`. */
export function pathText(path: Path): string {
  let text = '';
  for (const segment of path) {
    if (typeof segment === 'number') text += `[${segment.toString()}]`;
    else if (/^(?!alter_key_)[a-z0-9_]{1,64}$/i.test(segment)) text += text === '' ? segment : `.${segment}`;
    else text += `[${quoteKey(segment)}]`;
  }
  return text;
}

/** A key as messages quote it: on one line, cut, and never an API key that was put into the wrong place. */
export function quoteKey(key: string): string {
  const shown = key.replaceAll(/alter_key_\w+/g, 'alter_key_…');
  return JSON.stringify(shown.length > 64 ? `${shown.slice(0, 64)}…` : shown);
}
