import { parseDocument } from 'yaml';
import { CommandError } from '../errors.ts';

const MAX_BYTES = 4 * 1024 * 1024;

/**
 * The value that YAML or JSON text holds (JSON is YAML). Throws CommandError `record_invalid` that names `whence` and the place, and never
 * quotes the text. Keys that stand twice, aliases and tags that YAML does not know itself are mistakes; a byte order mark at the front is not.
 */
export function parseYamlText(text: string, whence: string): unknown {
  if (Buffer.byteLength(text) > MAX_BYTES) throw new CommandError('record_invalid', `${whence} is larger than 4 MiB`);
  const options = { version: '1.2', schema: 'core', prettyErrors: false, stringKeys: true, uniqueKeys: true } as const;
  const document = parseDocument(text.replace(/^\uFEFF/, ''), options);
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) {
    const line = text.slice(0, problem.pos[0]).split('\n').length;
    throw new CommandError('record_invalid', `${whence}, line ${String(line)}: this is neither YAML nor JSON (${problem.code})`);
  }
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch (cause) {
    throw new CommandError('record_invalid', `${whence} holds a YAML alias`, { cause });
  }
}
