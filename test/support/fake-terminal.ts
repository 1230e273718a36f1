import { PassThrough } from 'node:stream';
import type { Input, Terminal, TextStream } from '../../src/cli/terminal.ts';

/** A terminal whose text a test reads and at which it types. */
export interface FakeTerminal extends Terminal {
  readonly stdin: Input & PassThrough;
  /** Whether echo is off right now. */
  raw(): boolean;
  written(): { readonly stdout: string; readonly stderr: string };
  /** Types once `prompt` stands on stderr. */
  typeAfter(prompt: string, keys: string): void;
}

/** What kind of terminal: a pipe unless stated. */
export interface FakeTerminalOptions {
  readonly tty?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** Everything that comes on stdin. */
  readonly stdin?: string | Buffer;
}

/** Makes one. */
export function fakeTerminal(options: FakeTerminalOptions = {}): FakeTerminal {
  const tty = options.tty === true;
  let raw = false;
  const texts = { stdout: '', stderr: '' };
  const stdin = Object.assign(new PassThrough(), {
    isTTY: tty,
    setRawMode: (on: boolean) => {
      raw = on;
    },
  });
  const waiting: { prompt: string; keys: string }[] = [];
  const feed = () => {
    const [next] = waiting;
    if (next === undefined || !texts.stderr.endsWith(next.prompt)) return;
    waiting.shift();
    setImmediate(() => stdin.write(next.keys));
  };
  const sink = (name: keyof typeof texts): TextStream => {
    const stream = new PassThrough();
    stream.on('data', (chunk: Buffer) => {
      texts[name] += chunk.toString('utf8');
      feed();
    });
    return Object.assign(stream, { isTTY: tty });
  };
  if (options.stdin !== undefined) stdin.end(options.stdin);
  return {
    stdin,
    stdout: sink('stdout'),
    stderr: sink('stderr'),
    env: options.env ?? {},
    raw: () => raw,
    written: () => ({ ...texts }),
    typeAfter: (prompt, keys) => {
      waiting.push({ prompt, keys });
      feed();
    },
  };
}
