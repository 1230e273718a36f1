import { pino, type DestinationStream } from 'pino';
import type { Config } from './config/config.ts';
import { LogLines } from './log-lines.ts';

/** How much is written. */
export type LogLevel = Config['log']['level'];

/** Writes JSON lines. Nothing but this module knows the library behind it. */
export interface Logger {
  error(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  info(fields: object, message: string): void;
  debug(fields: object, message: string): void;
  /** A logger that adds `fields` to each line. It shares the level with its parent. */
  child(fields: object): Logger;
  /** Changes the level of this logger, its parents and their children. */
  setLevel(level: LogLevel): void;
}

type LineLevel = Exclude<LogLevel, 'silent'>;

const SEVERITY: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3, silent: 4 };
const STANDARD_ERROR = 2;

/**
 * A logger that writes to `destination` (a stream or a file descriptor; default: standard error, because standard output belongs to the
 * output of commands). What could hold a credential is redacted by type and by shape; see {@link redactedFields}.
 */
export function createLogger(level: LogLevel, destination: NodeJS.WritableStream | number = STANDARD_ERROR): Logger {
  return new JsonLogger(lineWriter(destination), { level }, {});
}

/**
 * A file descriptor is written synchronously: the lines before a crash or an exit are the ones that matter, and at the usual levels a
 * request that goes well writes none. The price is that a reader who stops reading stops the proxy once the pipe is full.
 */
function lineWriter(destination: NodeJS.WritableStream | number): Record<LineLevel, (fields: object, message: string) => void> {
  const stream: DestinationStream = typeof destination === 'number' ? new LogLines(destination) : destination;
  const options = {
    level: 'debug',
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    // Errors arrive as plain values; the library would put its own form, with the stack, in their place.
    serializers: { err: (printed: unknown) => printed },
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return pino(options, stream);
}

class JsonLogger implements Logger {
  readonly #writer: ReturnType<typeof lineWriter>;
  readonly #threshold: { level: LogLevel };
  readonly #bound: Readonly<Record<string, unknown>>;

  constructor(writer: ReturnType<typeof lineWriter>, threshold: { level: LogLevel }, bound: Readonly<Record<string, unknown>>) {
    this.#writer = writer;
    this.#threshold = threshold;
    this.#bound = bound;
  }

  error(fields: object, message: string): void {
    this.#write('error', fields, message);
  }

  warn(fields: object, message: string): void {
    this.#write('warn', fields, message);
  }

  info(fields: object, message: string): void {
    this.#write('info', fields, message);
  }

  debug(fields: object, message: string): void {
    this.#write('debug', fields, message);
  }

  child(fields: object): Logger {
    return new JsonLogger(this.#writer, this.#threshold, { ...this.#bound, ...redactedFields(fields, this.#withStacks()) });
  }

  setLevel(level: LogLevel): void {
    this.#threshold.level = level;
  }

  #write(level: LineLevel, fields: object, message: string): void {
    if (SEVERITY[level] < SEVERITY[this.#threshold.level]) return;
    this.#writer[level]({ ...this.#bound, ...redactedFields(fields, this.#withStacks()) }, maskText(message));
  }

  #withStacks(): boolean {
    return this.#threshold.level === 'debug';
  }
}

const REDACTED = '[redacted]';
/** Fields of a log line are flat objects of a level or two; deeper ones came in by mistake. */
const MAX_DEPTH = 8;
const MAX_ITEMS = 200;

/** Names (lower case, hyphens) whose value is a credential whatever it looks like. */
const CREDENTIAL_NAMES = new Set([
  ...['authorization', 'proxy-authorization', 'cookie', 'set-cookie', 'x-alter-user-token', 'x-amz-security-token'],
  ...[
    'x-api-key',
    'api-key',
    'apikey',
    'x-auth-token',
    'x-access-token',
    'x-goog-api-key',
    'private-token',
    'x-gitlab-token',
    'x-vault-token',
  ],
  ...['password', 'passphrase', 'client-secret', 'access-token', 'refresh-token', 'private-key', 'secret-access-key'],
]);

/** Shapes that are credentials wherever they stand. The display prefix of an API key is shorter than the pattern, and stays. */
const CREDENTIAL_SHAPES: readonly (readonly [RegExp, string])[] = [
  [/\b(alter_key_[a-z]+_)[\w-]{12,}/g, `$1${REDACTED}`],
  // A digit or a capital tells "Basic dXNlcjpwYXNz" from the words "basic authentication".
  [/\b([Bb]earer|[Bb]asic|[Tt]oken)\s+(?=\S*[0-9A-Z=])[\w.~+/=-]{8,}/g, `$1 ${REDACTED}`],
  [/(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}(\.[\w-]*)*/g, REDACTED],
  [/(\/\/)[^\s/?#@]+@/g, `$1${REDACTED}@`],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[^]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, REDACTED],
];

/** Names that the line itself uses: a field of that name would stand twice in the JSON text. */
const LINE_NAMES = new Set(['level', 'time', 'pid', 'msg']);

/**
 * `fields` as plain values that hold no credential: a Secret prints itself as `[redacted]`; values of credential-like names, also in flat
 * header lists, and texts of credential-like shape are masked; bytes, functions and foreign objects are only named.
 */
function redactedFields(fields: object, withStacks: boolean): Record<string, unknown> {
  const printable = new Printer(withStacks).print(fields instanceof Error ? { err: fields } : fields, 0);
  if (!isRecord(printable)) return { fields: printable };
  return Object.fromEntries(Object.entries(printable).map(([name, value]) => [LINE_NAMES.has(name) ? `field_${name}` : name, value]));
}

function maskText(text: string): string {
  return CREDENTIAL_SHAPES.reduce((masked, [shape, replacement]) => masked.replace(shape, replacement), text);
}

function namesCredential(name: string): boolean {
  const lower = name
    .replaceAll(/([a-z])([A-Z])/g, '$1-$2')
    .replaceAll('_', '-')
    .toLowerCase();
  return CREDENTIAL_NAMES.has(lower);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function hasToJson(value: object): value is { toJSON(): unknown } {
  return 'toJSON' in value && typeof value.toJSON === 'function';
}

class Printer {
  readonly #withStacks: boolean;
  readonly #open = new Set<object>();

  constructor(withStacks: boolean) {
    this.#withStacks = withStacks;
  }

  print(value: unknown, depth: number): unknown {
    if (typeof value === 'string') return maskText(value);
    if (typeof value === 'bigint') return value.toString();
    if (typeof value === 'symbol' || typeof value === 'function') return `[${typeof value}]`;
    if (typeof value !== 'object' || value === null) return value;
    if (this.#open.has(value)) return '[circular]';
    if (depth > MAX_DEPTH) return '[nested too deeply]';
    this.#open.add(value);
    try {
      return this.#object(value, depth + 1);
    } catch {
      // A getter or toJSON that throws must not take the line with it.
      return '[unprintable]';
    } finally {
      this.#open.delete(value);
    }
  }

  #object(value: object, depth: number): unknown {
    if (value instanceof Error) return this.#error(value, depth);
    if (Array.isArray(value)) return this.#list(value, depth);
    if (value instanceof Set) return this.#list([...(value as Set<unknown>)], depth);
    if (value instanceof Map) return this.#entries([...(value as Map<unknown, unknown>)], depth);
    if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
    if (hasToJson(value)) return this.print(value.toJSON(), depth);
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === null || prototype === Object.prototype) return this.#entries(Object.entries(value), depth);
    return `[${value.constructor.name}]`;
  }

  #entries(entries: readonly (readonly [unknown, unknown])[], depth: number): Record<string, unknown> {
    const printed = entries.slice(0, MAX_ITEMS).map(([key, value]): [string, unknown] => {
      const name = maskText(String(key));
      return [name, namesCredential(name) && value !== undefined && value !== null ? REDACTED : this.print(value, depth)];
    });
    return Object.fromEntries(printed);
  }

  /** In `[name, value, name, value …]` and `[name, value]`, what follows a credential-like name is its value. */
  #list(items: readonly unknown[], depth: number): unknown[] {
    return items.slice(0, MAX_ITEMS).map((item, index) => {
      const before = index === 0 ? undefined : items[index - 1];
      return typeof before === 'string' && namesCredential(before) ? REDACTED : this.print(item, depth);
    });
  }

  /** Only known properties: libraries hang whole commands and requests on their errors. */
  #error(error: Error, depth: number): Record<string, unknown> {
    const known = ['code', 'status', 'rule', 'detail', 'syscall', 'address', 'hostname', 'port', 'path', 'reason', 'hint'];
    const properties = known.flatMap((name): [string, unknown][] => {
      const value = (error as unknown as Record<string, unknown>)[name];
      return value === undefined ? [] : [[name, this.print(value, depth)]];
    });
    return {
      type: error.name,
      message: maskText(error.message),
      ...Object.fromEntries(properties),
      ...(this.#withStacks && error.stack !== undefined ? { stack: maskText(error.stack) } : {}),
      ...(error.cause === undefined ? {} : { cause: this.print(error.cause, depth) }),
      ...(error instanceof AggregateError ? { errors: this.#list(error.errors, depth) } : {}),
    };
  }
}
