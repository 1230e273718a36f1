/** One message as it stood on the wire; text is latin1. */
export interface Message {
  /** The first line. */
  readonly start: string;
  /** Field lines as they stood. */
  readonly fields: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[];
  /** What ends it: its own framing, the end of the connection, or nothing yet. */
  readonly ends: 'by-itself' | 'with-connection' | 'not-yet';
}

/** Which messages the bytes are. */
export type Side = 'requests' | { readonly answersTo: readonly string[] };

/**
 * Reads messages as plainly as can be, independent of the codec that is tested: only for what a correct sender writes. The last message
 * may be incomplete. Throws when the bytes are no messages. `answersTo`: the methods of the requests; GET where there are no more.
 */
export function readMessages(bytes: string, side: Side): readonly Message[] {
  const messages: Message[] = [];
  let finals = 0;
  for (let rest = bytes; rest !== '';) {
    const method = side === 'requests' ? undefined : (side.answersTo[finals] ?? 'GET');
    const { message, after } = readMessage(rest, method);
    messages.push(message);
    if (!/^HTTP\/1\.1 1\d\d /.test(message.start)) finals += 1;
    if (message.ends !== 'by-itself') break;
    rest = after;
  }
  return messages;
}

/** The value of the one field of this name; undefined when there is none. Throws when there are several. */
export function fieldOf({ fields }: Pick<Message, 'fields'>, name: string): string | undefined {
  const [value, ...more] = fieldsOf(fields, name);
  if (more.length > 0) throw new Error(`several ${name}`);
  return value;
}

/** Whether a message is the whole answer with this status. */
export function isAnswer(message: Message | undefined, status: number): boolean {
  return message?.ends === 'by-itself' && message.start.startsWith(`HTTP/1.1 ${status} `);
}

interface Read {
  readonly message: Message;
  readonly after: string;
}

/** `method`: what a response answers; undefined for a request. */
function readMessage(bytes: string, method: string | undefined): Read {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) return { message: { start: bytes, fields: [], body: '', trailers: [], ends: 'not-yet' }, after: '' };
  const [start = '', ...fields] = bytes.slice(0, end).split('\r\n');
  if (!(method === undefined ? /^[A-Z]+ \S+ HTTP\/1\.1$/ : /^HTTP\/1\.1 \d{3} /).test(start)) throw new Error(`no message: ${start}`);
  const body = readBody(bytes.slice(end + 4), lengthOf(start, fields, method));
  return { message: { start, fields, body: body.data, trailers: body.trailers, ends: body.ends }, after: body.after };
}

function lengthOf(start: string, fields: readonly string[], method: string | undefined): number | 'chunked' | 'rest' {
  if (method === 'HEAD' || (method !== undefined && /^HTTP\/1\.1 (?:1\d\d|204|304) /.test(start))) return 0;
  if (fieldsOf(fields, 'transfer-encoding').length > 0) return 'chunked';
  const length = fieldOf({ fields }, 'content-length');
  if (length !== undefined) return Number(length);
  return method === undefined ? 0 : 'rest';
}

interface Body extends Pick<Message, 'trailers' | 'ends'> {
  readonly data: string;
  readonly after: string;
}

function readBody(bytes: string, length: number | 'chunked' | 'rest'): Body {
  if (length === 'rest') return { data: bytes, trailers: [], ends: 'with-connection', after: '' };
  if (length === 'chunked') return readChunks(bytes);
  const ends = bytes.length < length ? 'not-yet' : 'by-itself';
  return { data: bytes.slice(0, length), trailers: [], ends, after: bytes.slice(length) };
}

function readChunks(bytes: string): Body {
  let data = '';
  for (let rest = bytes; ;) {
    const line = /^([0-9a-f]+)\r\n/.exec(rest);
    if (line === null) return { data, trailers: [], ends: 'not-yet', after: '' };
    const size = Number.parseInt(line[1] ?? '', 16);
    rest = rest.slice(line[0].length);
    if (size === 0) return { data, ...readTrailers(rest) };
    data += rest.slice(0, size);
    if (rest.length < size + 2) return { data, trailers: [], ends: 'not-yet', after: '' };
    if (rest.slice(size, size + 2) !== '\r\n') throw new Error('a chunk is longer than its size');
    rest = rest.slice(size + 2);
  }
}

function readTrailers(bytes: string): Omit<Body, 'data'> {
  if (bytes.startsWith('\r\n')) return { trailers: [], ends: 'by-itself', after: bytes.slice(2) };
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) return { trailers: [], ends: 'not-yet', after: '' };
  return { trailers: bytes.slice(0, end).split('\r\n'), ends: 'by-itself', after: bytes.slice(end + 4) };
}

function fieldsOf(fields: readonly string[], name: string): readonly string[] {
  return fields
    .map((line) => line.split(/: ?(.*)/s))
    .filter(([found = '']) => found.toLowerCase() === name)
    .map(([, value = '']) => value);
}
