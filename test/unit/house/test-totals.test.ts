/** The closing line of `npm test` counts what ava reports, and a run that proves nothing is not ok. */
import test from 'ava';

interface TestTotals {
  readonly ok: boolean;
  readonly failures: readonly string[];
  add(line: string): void;
  close(exitCode: number | null): void;
  toString(): string;
}

const { TestTotals } = (await import(new URL('../../../../scripts/test-totals.mjs', import.meta.url).href)) as {
  TestTotals: new () => TestTotals;
};

function count(report: string, exitCode: number | null): { line: string; ok: boolean } {
  const totals = new TestTotals();
  for (const line of report.split('\n')) totals.add(line);
  totals.close(exitCode);
  return { line: String(totals), ok: totals.ok };
}

test('passed tests are counted, with or without their duration', (t) => {
  t.deepEqual(count('\n  ✔ unit › a\n  ✔ unit › b (1.2s)\n  ─\n\n  2 tests passed\n', 0), { line: '2 passed, 0 failed', ok: true });
});

test('a terminal without Unicode and one with colours count alike', (t) => {
  t.is(count('  √ a\n  × [fail]: b\n', 1).line, '1 passed, 1 failed');
  t.is(count('  \u001b[32m✔\u001b[39m a\n', 0).line, '1 passed, 0 failed');
});

test('failed tests, crashed files and files without tests each count as a failure', (t) => {
  const report = '  ✔ a\n  ✘ [fail]: b\n  ✘ x.test.js exited with a non-zero exit code: 1\n  ✘ No tests found in y.test.js, make sure …\n';
  t.deepEqual(count(report, 1), { line: '1 passed, 3 failed', ok: false });
});

test('skipped and planned tests are named beside the others', (t) => {
  t.is(count('  - [skip] a\n  - [todo] b\n  ✔ c\n', 0).line, '1 passed, 0 failed, 2 skipped');
});

test('what failures and logs quote is not counted', (t) => {
  t.is(count('  ✔ a\n    ℹ   ✔ forged\n  ✘ [fail]: b\n  ─\n\n  ✔ forged\n  ✘ forged\n', 1).line, '1 passed, 1 failed');
});

test('what failed is kept, to be told at the end', (t) => {
  const totals = new TestTotals();
  for (const line of ['  ✔ a', '  ✘ [fail]: b › c why', '  ─', '', '  ✘ forged']) totals.add(line);
  t.deepEqual(totals.failures, ['✘ [fail]: b › c why']);
});

test('a run that ends badly without a failed test has failed', (t) => {
  t.deepEqual(count('  ✔ a\n', 1), { line: '1 passed, 1 failed', ok: false });
  t.deepEqual(count('  ✔ a\n', null), { line: '1 passed, 1 failed', ok: false });
});

test('a run without a test is not ok', (t) => {
  t.deepEqual(count('', 0), { line: '0 passed, 0 failed', ok: false });
});
