import Table from 'cli-table3';
import { printable } from './printable.ts';
import { lostOutput } from './report-error.ts';
import { wantsColour, type Terminal, type TextStream } from './terminal.ts';

const CODES = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39], cyan: [36, 39] } as const;

/** Name of a colour or weight. */
export type Style = keyof typeof CODES;

/** Colours a text, or returns it as it is when colours are off. */
export type Paint = (style: Style, text: string) => string;

/** A cell of a table: text that is made printable, or text that was painted already. */
export type Cell = string | { readonly painted: string };

/** How a command speaks: tables and lines for people, one JSON document for programs. Results go to stdout, remarks to stderr. */
export interface Output {
  readonly json: boolean;
  readonly paint: Paint;
  /** Prints `value` as JSON when asked for, and else the lines of `text`. */
  result(value: unknown, text: () => string | readonly string[]): void;
  /**
   * The same for what is nowhere else: resolves when it has left, and rejects with CommandError `file_unwritable` when it is lost. The process
   * goes on then, so that the command can deal with it.
   */
  deliver(value: unknown, text: () => string | readonly string[]): Promise<void>;
  /** One line of a result. */
  line(text: string): void;
  /** A remark for people, on stderr; silent with --json. */
  note(text: string): void;
  /** Lines of an aligned table without borders. */
  table(head: readonly string[], rows: readonly (readonly Cell[])[]): string[];
  /** Lines of aligned names and values; rows whose value is undefined are left out. */
  facts(rows: readonly (readonly [string, Cell | undefined])[]): string[];
}

const NO_BORDERS = {
  top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '',
  left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '',
} as const; // prettier-ignore

function paintWith(on: boolean): Paint {
  return (style, text) => (on && text !== '' ? `\u001b[${String(CODES[style][0])}m${text}\u001b[${String(CODES[style][1])}m` : text);
}

function cellText(cell: Cell): string {
  return typeof cell === 'string' ? printable(cell) : cell.painted;
}

function layOut(rows: readonly (readonly string[])[], gap: number): string[] {
  if (rows.length === 0) return [];
  const table = new Table({ chars: NO_BORDERS, style: { 'padding-left': 0, 'padding-right': gap, head: [], border: [], compact: true } });
  for (const row of rows) table.push([...row]);
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd());
}

function write(stream: TextStream, lines: string | readonly string[]): void {
  const text = typeof lines === 'string' ? lines : lines.join('\n');
  if (text !== '') stream.write(`${text}\n`);
}

function delivered(stream: TextStream, lines: string | readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const lost = (error: Error): void => {
      reject(lostOutput(error));
    };
    stream.once('error', lost);
    stream.write(`${typeof lines === 'string' ? lines : lines.join('\n')}\n`, (error) => {
      // The event follows.
      if (error instanceof Error) return;
      stream.off('error', lost);
      resolve();
    });
  });
}

/** Makes the output of a command. */
export function createOutput(terminal: Terminal, options: { readonly json: boolean; readonly colour: boolean }): Output {
  const { stdout, stderr, env } = terminal;
  const paint = paintWith(wantsColour(stdout, env, options.colour));
  const inForm = (value: unknown, text: () => string | readonly string[]) => (options.json ? JSON.stringify(value, null, 2) : text());
  return {
    json: options.json,
    paint,
    result: (value, text) => {
      write(stdout, inForm(value, text));
    },
    deliver: (value, text) => delivered(stdout, inForm(value, text)),
    line: (text) => {
      write(stdout, text);
    },
    note: (text) => {
      if (!options.json) write(stderr, text);
    },
    table: (head, rows) => layOut([head.map((title) => paint('dim', title.toUpperCase())), ...rows.map((row) => row.map(cellText))], 2),
    facts: (rows) =>
      layOut(
        rows.flatMap(([name, value]) => (value === undefined ? [] : [[paint('dim', name), cellText(value)]])),
        2,
      ),
  };
}
