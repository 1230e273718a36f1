import { readFileSync } from 'node:fs';
import { CommandError } from '../errors.ts';
import type { ProviderTemplate } from '../providers/template.ts';
import { Secret } from '../secret/secret.ts';
import { askHidden, askVisible } from './prompt.ts';
import { fileError } from './report-error.ts';
import { isInteractive, type Input, type Terminal } from './terminal.ts';

/** How the values of a secret were asked to be read. */
export interface SecretInputOptions {
  /** `name=@file`, `name=-` or `name`, as given by `--field`. */
  readonly field: readonly string[];
  /** All values as one JSON object on stdin. */
  readonly fieldsStdin: boolean;
  /** What `--field` does not name stays as it is, since the secret has values already. */
  readonly others?: 'kept';
}

type Source =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'stdin' }
  | { readonly kind: 'prompt' }
  | { readonly kind: 'plain'; readonly text: string };

const MAX_INPUT_BYTES = 1 << 20;

function usage(message: string, hint?: string): CommandError {
  return new CommandError('usage', message, hint === undefined ? {} : { hint });
}

function decode(bytes: Buffer, whence: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new CommandError('record_invalid', `${whence} is not UTF-8 text`, { cause });
  }
}

/** Without the one line break that an editor or `echo` puts at the end. */
function trimOneNewline(text: string): string {
  return text.replace(/\r?\n$/, '');
}

/** All bytes of stdin. Throws CommandError `usage` beyond 1 MiB. */
export async function readStdin(stdin: Input): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stdin as AsyncIterable<Buffer | string>) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    size += bytes.length;
    if (size > MAX_INPUT_BYTES) throw usage('stdin is larger than 1 MiB');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

function readSecretFile(path: string): string {
  try {
    return trimOneNewline(decode(readFileSync(path), path));
  } catch (error) {
    throw fileError(error) ?? error;
  }
}

// The text of --field may be a credential that somebody typed by mistake: no message here repeats it.
function parseField(spec: string, provider: ProviderTemplate): readonly [string, Source] {
  const [, name = '', , value = ''] = /^([^=]*)(=)?(.*)$/s.exec(spec) ?? [];
  const field = Object.hasOwn(provider.fields, name) ? provider.fields[name] : undefined;
  const known = Object.keys(provider.fields).join(', ');
  if (field === undefined) throw usage(`--field names no field of provider ${provider.slug}; its fields are: ${known}`);
  if (!spec.includes('=')) return [name, { kind: 'prompt' }];
  if (value === '-') return [name, { kind: 'stdin' }];
  if (value.startsWith('@') && value.length > 1) return [name, { kind: 'file', path: value.slice(1) }];
  if (!field.secret && value !== '' && value !== '@') return [name, { kind: 'plain', text: value }];
  throw usage(
    `--field ${name} takes no value on the command line, where other users and the shell history can see it`,
    `Pass --field ${name}=@<file>, --field ${name}=- for stdin, or --field ${name} to be asked.`,
  );
}

function parseFields(specs: readonly string[], provider: ProviderTemplate): Map<string, Source> {
  const sources = new Map<string, Source>();
  for (const spec of specs) {
    const [name, source] = parseField(spec, provider);
    if (sources.has(name)) throw usage(`--field ${name} is given twice`);
    sources.set(name, source);
  }
  if ([...sources.values()].filter((source) => source.kind === 'stdin').length > 1) {
    throw usage('only one field can be read from stdin', 'Pass all fields as one JSON object with --fields-stdin.');
  }
  return sources;
}

function isOptional(name: string, provider: ProviderTemplate): boolean {
  return provider.fields[name]?.optional === true;
}

/** The one field that is left comes through the pipe, when what is not secret was given in plain sight. */
function pipedField(named: Map<string, Source>, missing: readonly string[], terminal: Terminal): string | undefined {
  const restIsPlain = [...named.values()].every((source) => source.kind === 'plain');
  return missing.length === 1 && restIsPlain && terminal.stdin.isTTY !== true ? missing[0] : undefined;
}

/** Decides where each field that was not named comes from. */
function completeSources(named: Map<string, Source>, provider: ProviderTemplate, terminal: Terminal): Map<string, Source> {
  const all = Object.keys(provider.fields);
  // Of what may be left out, a person is asked; a program leaves it out by not naming it.
  const missing = all.filter((name) => !named.has(name) && !(isOptional(name, provider) && !isInteractive(terminal)));
  if (missing.length === 0) return named;
  if (isInteractive(terminal)) {
    const asked = all.filter((name) => named.has(name) || !isOptional(name, provider) || provider.fields[name]?.multiline !== true);
    return new Map(asked.map((name) => [name, named.get(name) ?? { kind: 'prompt' }]));
  }
  const piped = pipedField(named, missing, terminal);
  if (piped !== undefined) return new Map([...named, [piped, { kind: 'stdin' }]]);
  throw usage(
    `no value for ${missing.join(', ')}`,
    `Pass --field ${missing[0] ?? ''}=@<file> for each, or all fields as one JSON object with --fields-stdin.`,
  );
}

async function ask(terminal: Terminal, name: string, provider: ProviderTemplate): Promise<string> {
  const field = provider.fields[name];
  if (field?.multiline === true) {
    throw usage(`the value of ${name} has several lines and cannot be typed in`, `Pass --field ${name}=@<file>.`);
  }
  if (!isInteractive(terminal))
    throw usage(`--field ${name} asks on a terminal, and there is none`, `Pass --field ${name}=@<file> or --field ${name}=-.`);
  const question = `${field?.label ?? name} (${name}${isOptional(name, provider) ? ', may be left empty' : ''})`;
  if (field?.secret === false) return await askVisible(terminal, `${question}: `);
  return await askHidden(terminal, `${question}, hidden`);
}

async function readSource(source: Source, name: string, provider: ProviderTemplate, terminal: Terminal): Promise<string> {
  switch (source.kind) {
    case 'file':
      return readSecretFile(source.path);
    case 'plain':
      return source.text;
    case 'prompt':
      return await ask(terminal, name, provider);
    case 'stdin':
      // On a terminal, reading stdin would show what is typed.
      if (terminal.stdin.isTTY === true) return await ask(terminal, name, provider);
      return trimOneNewline(decode(await readStdin(terminal.stdin), 'stdin'));
  }
}

function parseFieldMap(text: string, provider: ProviderTemplate): Record<string, string> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // The parser's own message quotes the input.
    throw usage('stdin is not a JSON object of field names and values');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw usage('stdin is not a JSON object of field names and values');
  const names = Object.keys(provider.fields);
  const entries = Object.entries(parsed as Record<string, unknown>);
  if (entries.some(([name, value]) => !names.includes(name) || typeof value !== 'string')) {
    throw usage(`the JSON object on stdin must hold texts for these fields and nothing else: ${names.join(', ')}`);
  }
  const missing = names.filter((name) => !isOptional(name, provider) && !entries.some(([given]) => given === name));
  if (missing.length > 0) throw usage(`the JSON object on stdin has no value for ${missing.join(', ')}`);
  return Object.fromEntries(entries) as Record<string, string>;
}

/** The texts of the named fields, and of one that may come through a pipe. */
async function readNamed(named: Map<string, Source>, provider: ProviderTemplate, terminal: Terminal): Promise<Record<string, string>> {
  const texts: Record<string, string> = {};
  for (const [name, source] of named) texts[name] = await readSource(source, name, provider, terminal);
  const missing = Object.keys(provider.fields).filter((name) => !named.has(name) && !isOptional(name, provider));
  const piped = pipedField(named, missing, terminal);
  const text = piped === undefined ? '' : await readSource({ kind: 'stdin' }, piped, provider, terminal);
  return piped === undefined || text === '' ? texts : { ...texts, [piped]: text };
}

async function readAll(named: Map<string, Source>, provider: ProviderTemplate, terminal: Terminal): Promise<Record<string, string>> {
  const texts: Record<string, string> = {};
  for (const [name, source] of completeSources(named, provider, terminal)) {
    const text = await readSource(source, name, provider, terminal);
    if (text !== '' || !isOptional(name, provider)) texts[name] = text;
  }
  return texts;
}

async function readFieldMap(provider: ProviderTemplate, terminal: Terminal): Promise<Record<string, string>> {
  if (terminal.stdin.isTTY === true)
    throw usage('--fields-stdin reads a pipe or a file, not a terminal', 'Leave it out to be asked for each field.');
  return parseFieldMap(decode(await readStdin(terminal.stdin), 'stdin'), provider);
}

async function readTexts(provider: ProviderTemplate, options: SecretInputOptions, terminal: Terminal): Promise<Record<string, string>> {
  if (options.fieldsStdin) {
    const texts = await readFieldMap(provider, terminal);
    return Object.fromEntries(Object.entries(texts).filter(([name, text]) => text !== '' || !isOptional(name, provider)));
  }
  const named = parseFields(options.field, provider);
  return options.others === 'kept' && named.size > 0 ? readNamed(named, provider, terminal) : readAll(named, provider, terminal);
}

/** Throws CommandError `usage` when `--field` is not as it should be, above all when it holds a value. Reads and asks for nothing. */
export function checkFieldOptions(provider: ProviderTemplate, { field }: Pick<SecretInputOptions, 'field'>): void {
  parseFields(field, provider);
}

/**
 * Reads the values of the fields of `provider` from files, stdin or a hidden prompt; never from the command line. All of them, or, where the
 * others are kept, those that are named; an optional one of these may be empty, which takes it away. Throws CommandError `usage` when that is
 * not possible; no message holds a value.
 */
export async function readSecretFields(
  provider: ProviderTemplate,
  options: SecretInputOptions,
  terminal: Terminal,
): Promise<Readonly<Record<string, Secret>>> {
  if (options.fieldsStdin && options.field.length > 0) throw usage('--field and --fields-stdin exclude each other');
  const texts = Object.entries(await readTexts(provider, options, terminal));
  const [empty] = texts.find(([name, text]) => text === '' && !isOptional(name, provider)) ?? [];
  if (empty !== undefined) throw usage(`the value of ${empty} is empty`);
  return Object.fromEntries(texts.map(([name, text]) => [name, new Secret(text)]));
}
