import { HeaderList } from '../../src/message/header-list.ts';

/** A header list from `Name: value` lines. */
export function headers(...lines: readonly string[]): HeaderList {
  const list = new HeaderList();
  for (const line of lines) {
    const colon = line.indexOf(':');
    list.append(line.slice(0, colon), line.slice(colon + 1).replace(/^ /, ''));
  }
  return list;
}

/** The fields of a list as `Name: value` lines. */
export function lines(list: HeaderList): string[] {
  return [...list].map(([name, value]) => `${name}: ${value}`);
}
