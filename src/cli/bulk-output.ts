import type { BulkResult } from '../vault/grants/bulk.ts';
import { isoInstant } from './duration.ts';
import type { Cell, Output } from './output.ts';
import { printable } from './printable.ts';

/** An item of a bulk operation: how it is called, and what became of it. */
export interface BulkRow {
  readonly name: string;
  readonly result: BulkResult;
}

/** How a bulk operation is told. */
export interface BulkWords {
  /** What was done: `revoked`. */
  readonly done: string;
  readonly dryRun: boolean;
  /** The grants are new: an id that was only tried out is nobody's. */
  readonly issues?: boolean;
}

/** Prints a result for each item; answers the exit code of the command: 1 when one of them failed. */
export function printBulk(output: Output, rows: readonly BulkRow[], words: BulkWords): number {
  const { dryRun } = words;
  const failed = rows.filter(({ result }) => !result.ok).length;
  output.result({ dryRun, failed, results: rows.map((row) => forPrograms(row, words)) }, () => [
    ...(rows.length === 0
      ? []
      : output.table(
          ['item', 'grant', 'label', 'result'],
          rows.map((row) => cells(output, row, words)),
        )),
    `${String(rows.length - failed)} of ${String(rows.length)} ${dryRun ? 'would be' : ''} ${words.done}`.replaceAll('  ', ' '),
  ]);
  return failed === 0 ? 0 : 1;
}

function forPrograms({ name, result }: BulkRow, words: BulkWords): Record<string, unknown> {
  if (!result.ok) {
    const { error, id = null, label = null } = result;
    return { item: name, ok: false, id, label, code: error.code, message: error.message };
  }
  const { id, label, status, expiresAt } = result.grant;
  return { item: name, ok: true, changed: result.changed, id: hasNoId(words) ? null : id, label, status, expiresAt: isoInstant(expiresAt) };
}

function cells(output: Output, { name, result }: BulkRow, words: BulkWords): readonly Cell[] {
  if (!result.ok) {
    const { error, id = '-', label = '-' } = result;
    return [name, id, label, { painted: output.paint('red', printable(error.message)) }];
  }
  const done = words.dryRun ? `would be ${words.done}` : words.done;
  const painted = output.paint('green', result.changed ? done : 'is so already');
  return [name, hasNoId(words) ? '-' : result.grant.id, result.grant.label, { painted }];
}

function hasNoId({ dryRun, issues = false }: BulkWords): boolean {
  return dryRun && issues;
}
