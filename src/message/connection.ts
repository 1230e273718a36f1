/** Adds the field names that a Connection value lists, in lower case, to `names`. */
export function addConnectionOptions(value: string, names: Set<string>): void {
  for (const option of value.split(',')) {
    const name = option.trim().toLowerCase();
    if (name !== '') names.add(name);
  }
}
