import { createInterface } from 'node:readline/promises';
import { StringDecoder } from 'node:string_decoder';
import { CommandError } from '../errors.ts';
import type { Input, Terminal } from './terminal.ts';

const ENTER = /[\r\n]/;
const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
const CTRL_U = '\u0015';
const ERASE = new Set(['\u007f', '\b']);

type KeyOutcome = { readonly done: string } | { readonly failed: CommandError } | undefined;

/** Takes what was typed or pasted and says when the line is complete. */
function lineCollector(): (chunk: string) => KeyOutcome {
  let line = '';
  return (chunk) => {
    const enter = chunk.search(ENTER);
    for (const character of enter < 0 ? chunk : chunk.slice(0, enter)) {
      if (character === CTRL_C) return { failed: new CommandError('not_allowed', 'cancelled', { hint: 'Nothing was changed.' }) };
      if (character === CTRL_D) return { done: line };
      if (character === CTRL_U) line = '';
      else if (ERASE.has(character)) line = line.replace(/.$/su, '');
      else line += character;
    }
    if (enter < 0) return undefined;
    if (chunk.slice(enter).trim() === '') return { done: line };
    return {
      failed: new CommandError('usage', 'the pasted value has more than one line', {
        hint: 'Put it into a file and pass --field <name>=@<file>.',
      }),
    };
  };
}

function readKeys(stdin: Input): Promise<string> {
  const decoder = new StringDecoder('utf8');
  const take = lineCollector();
  return new Promise((resolve, reject) => {
    const finish = (outcome: KeyOutcome) => {
      if (outcome === undefined) return;
      stdin.off('data', onData);
      stdin.off('end', onEnd);
      stdin.pause();
      if ('done' in outcome) resolve(outcome.done);
      else reject(outcome.failed);
    };
    const onData = (chunk: Buffer) => {
      finish(take(decoder.write(chunk)));
    };
    const onEnd = () => {
      finish({ failed: new CommandError('usage', 'the input ended before a value was given') });
    };
    stdin.on('data', onData);
    stdin.on('end', onEnd);
    stdin.resume();
  });
}

/** Asks for a value on the terminal without showing what is typed. */
export async function askHidden(terminal: Terminal, question: string): Promise<string> {
  const { stdin, stderr } = terminal;
  stderr.write(`${question}: `);
  stdin.setRawMode?.(true);
  try {
    const value = await readKeys(stdin);
    // So that one sees that a paste arrived.
    stderr.write(`(${String(value.length)} characters)`);
    return value;
  } finally {
    stdin.setRawMode?.(false);
    stderr.write('\n');
  }
}

/** Asks for a line on the terminal. An end of input answers with the empty text. */
export async function askVisible(terminal: Terminal, question: string): Promise<string> {
  const lines = createInterface({ input: terminal.stdin, output: terminal.stderr });
  const ended = new Promise<string>((resolve) => {
    lines.once('close', () => {
      resolve('');
    });
  });
  try {
    return (await Promise.race([lines.question(question), ended])).trim();
  } finally {
    lines.close();
  }
}
