/** Contract: docs/security.md tells each of the fourteen invariants, and names for each the tests that guard it; those tests exist. */
import { readFileSync } from 'node:fs';
import test from 'ava';

const ROOT = new URL('../../../', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, ROOT), 'utf8');

const DEFAULT_FILE = 'test/integration/invariants.test.ts';

interface Guard {
  readonly title: string;
  readonly file: string;
}

/** Guards of each invariant, by its number. */
function invariants(page: string): ReadonlyMap<number, readonly Guard[]> {
  const sections = [...page.matchAll(/^### (\d+)\. .+\n((?:(?!##).*\n)*)/gm)];
  return new Map(
    sections.map(([, number = '', text = '']) => [
      Number(number),
      [...text.matchAll(/^- `([^`]+)`(?:\s+\(`([^`]+)`\))?$/gm)].map(([, title = '', file = DEFAULT_FILE]) => ({ title, file })),
    ]),
  );
}

const INVARIANTS = invariants(read('docs/security.md'));

test('there are fourteen, in order, and none without a test', (t) => {
  t.deepEqual(
    [...INVARIANTS.keys()],
    Array.from({ length: 14 }, (_, index) => index + 1),
  );
  for (const [number, guards] of INVARIANTS) t.true(guards.length > 0, `invariant ${number}`);
});

test('every test that the page names exists', (t) => {
  for (const { title, file } of [...INVARIANTS.values()].flat()) {
    const titles = [...read(file).matchAll(/\btest(?:\.serial)?\(\s*(['"`])(.*?)\1,/gs)].map(([, , found = '']) => found);
    t.true(
      titles.some((found) => found.includes(title)),
      `${file}: ${title}`,
    );
  }
});
