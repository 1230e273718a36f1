import { fieldName } from '../../src/message/field-name.ts';
import { HeaderList } from '../../src/message/header-list.ts';

/** A header list from `Name: value` lines, unchecked, as if a lax parser had read them. */
export function headers(...lines: readonly string[]): HeaderList {
  const names = lines.map((line) => fieldName(line.slice(0, line.indexOf(':'))));
  const values = lines.map((line) => line.slice(line.indexOf(':') + 1).replace(/^ /, ''));
  return HeaderList.ofParsed(names, values);
}

/** The fields of a list as `Name: value` lines. */
export function lines(list: HeaderList): string[] {
  return [...list].map(([name, value]) => `${name}: ${value}`);
}
