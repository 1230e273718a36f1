import { stripVTControlCharacters } from 'node:util';

/**
 * Counts tests in the report of ava, line by line. Only the list of tests counts: after the first rule (`─`) ava repeats the failures,
 * and values of tests that stand there may look like anything. What tests print themselves is not in the report.
 */
export class TestTotals {
  passed = 0;
  failed = 0;
  /** What failed, a line each, as ava told it. @type {string[]} */
  failures = [];
  skipped = 0;
  #listing = true;

  /** @param {string} line */
  add(line) {
    const text = stripVTControlCharacters(line);
    if (/^ {2}─+$/.test(text)) this.#listing = false;
    if (!this.#listing) return;
    if (/^ {2}[✔√] /.test(text)) this.passed += 1;
    // `✘ [fail]: title`, and also files that crashed, timed out, hold no test or left tests behind.
    else if (/^ {2}[✘×] /.test(text)) {
      this.failed += 1;
      this.failures.push(text.trim());
    } else if (/^ {2}- \[(skip|todo)\] /.test(text)) this.skipped += 1;
  }

  /**
   * The end of the run: an exit code that no line explains is a failure of its own.
   * @param {number | null} exitCode
   */
  close(exitCode) {
    if (exitCode !== 0 && this.failed === 0) this.failed = 1;
  }

  /** Some test ran, and none failed. */
  get ok() {
    return this.passed > 0 && this.failed === 0;
  }

  toString() {
    const skipped = this.skipped === 0 ? '' : `, ${this.skipped} skipped`;
    return `${this.passed} passed, ${this.failed} failed${skipped}`;
  }
}
