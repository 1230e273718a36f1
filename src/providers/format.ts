const REFERENCE = /\{([a-z][a-z0-9_]*)\}/g;

/** Names of the fields that `format` refers to (`{field}`), in order, each once. */
export function fieldReferences(format: string): string[] {
  return [...new Set([...format.matchAll(REFERENCE)].map(([, field = '']) => field))];
}

/** Whether `format` holds a brace that belongs to no reference: a misspelt one, most likely. */
export function hasStrayBrace(format: string): boolean {
  return /[{}]/.test(format.replace(REFERENCE, ''));
}

/** `format` with each reference replaced by `valueOf(field)`. What a value holds is never read as a reference again. */
export function renderFormat(format: string, valueOf: (field: string) => string): string {
  return format.replace(REFERENCE, (_, field: string) => valueOf(field));
}
