import { HeaderList } from '../../src/message/header-list.ts';

/** A header list from `Name: value` lines, unchecked, as if a lax parser had read them. */
export function headers(...lines: readonly string[]): HeaderList {
  return HeaderList.ofParsed(
    lines.flatMap((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, '')];
    }),
  );
}

/** The fields of a list as `Name: value` lines. */
export function lines(list: HeaderList): string[] {
  return [...list].map(([name, value]) => `${name}: ${value}`);
}
