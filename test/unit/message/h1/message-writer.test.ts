/** Contract: a message leaves whole and in order, in as few writes as its arrival allows, and with exactly the body that it announced. */
import test from 'ava';
import { MessageWriter, type ByteOutput } from '../../../../src/message/h1/message-writer.ts';
import { HeaderList } from '../../../../src/message/header-list.ts';

const HEAD = 'HTTP/1.1 200 OK\r\n\r\n';
const NONE = { kind: 'none' } as const;
const CHUNKED = { kind: 'chunked' } as const;
const CLOSE = { kind: 'close' } as const;
const length = (bytes: number) => ({ kind: 'length', bytes }) as const;

/** An output that keeps what was written, write by write; writes between cork and uncork leave as one. */
class Output implements ByteOutput {
  readonly writes: string[] = [];
  scheduled = 0;
  writableLength = 0;
  corked = 0;
  #together: string | undefined;

  write(bytes: Buffer): boolean {
    const text = bytes.toString('latin1');
    if (this.#together === undefined) this.writes.push(text);
    else this.#together += text;
    return true;
  }

  cork(): void {
    this.corked += 1;
    this.#together = '';
  }

  uncork(): void {
    this.writes.push(this.#together ?? '');
    this.#together = undefined;
  }
}

function start(): { output: Output; writer: MessageWriter } {
  const output = new Output();
  return { output, writer: new MessageWriter(output, () => (output.scheduled += 1)) };
}

test('a head and the small body that comes with it leave in one write', (t) => {
  const { output, writer } = start();
  writer.head(HEAD, length(5));
  t.true(writer.data(Buffer.from('hello')));
  t.deepEqual(output.writes, []);
  writer.end(undefined);
  t.deepEqual(output.writes, []);
  t.is(output.scheduled, 1);
  t.true(writer.pending);
  writer.flush();
  t.false(writer.pending);
  t.deepEqual(output.writes, [`${HEAD}hello`]);
});

test('several messages, and the informational heads between them, leave in one write and in order', (t) => {
  const { output, writer } = start();
  writer.head(HEAD, NONE);
  writer.end(undefined);
  writer.informational('HTTP/1.1 100 Continue\r\n\r\n');
  writer.headOnly(HEAD);
  writer.flush();
  t.deepEqual(output.writes, [`${HEAD}HTTP/1.1 100 Continue\r\n\r\n${HEAD}`]);
});

test('a head whose body is not there yet leaves at the end of the turn, alone', (t) => {
  const { output, writer } = start();
  writer.head(HEAD, length(5));
  t.is(output.scheduled, 1);
  writer.flush();
  t.deepEqual(output.writes, [HEAD]);
  writer.data(Buffer.from('hello'));
  t.is(output.scheduled, 2);
  writer.end(undefined);
  writer.flush();
  t.deepEqual(output.writes, [HEAD, 'hello']);
});

test('a flush with nothing to write writes nothing', (t) => {
  const { output, writer } = start();
  writer.flush();
  writer.head(HEAD, NONE);
  writer.end(undefined);
  writer.flush();
  writer.flush();
  t.deepEqual(output.writes, [HEAD]);
});

test('a chunked body has a size before each part, and its end, also with trailers', (t) => {
  const { output, writer } = start();
  writer.head(HEAD, CHUNKED);
  writer.data(Buffer.from('hello'));
  writer.data(Buffer.alloc(0));
  writer.data(Buffer.alloc(16, 'x'));
  writer.end(undefined);
  writer.flush();
  t.is(output.writes.join(''), `${HEAD}5\r\nhello\r\n10\r\n${'x'.repeat(16)}\r\n0\r\n\r\n`);
  writer.head(HEAD, CHUNKED);
  writer.end(new HeaderList(['X-Sum', '1']));
  writer.flush();
  t.is(output.writes.at(-1), `${HEAD}0\r\nX-Sum: 1\r\n\r\n`);
});

test('a body that ends with the connection is written as it is, of any length', (t) => {
  const { output, writer } = start();
  writer.head(HEAD, CLOSE);
  writer.data(Buffer.from('hello'));
  writer.end(new HeaderList(['X-Sum', '1']));
  writer.flush();
  t.deepEqual(output.writes, [`${HEAD}hello`]);
});

test('a body that is longer than announced is not written', (t) => {
  for (const framing of [length(4), NONE]) {
    const { output, writer } = start();
    writer.head(HEAD, framing);
    t.throws(() => writer.data(Buffer.from('hello')), { message: /longer/ });
    writer.flush();
    t.deepEqual(output.writes, [HEAD]);
  }
  const { writer } = start();
  writer.head(HEAD, length(6));
  writer.data(Buffer.from('hello'));
  t.throws(() => writer.data(Buffer.from('!!')), { message: /longer/ });
});

test('a body that is shorter than announced does not end', (t) => {
  const { writer } = start();
  writer.head(HEAD, length(6));
  writer.data(Buffer.from('hello'));
  t.throws(() => writer.end(undefined), { message: /shorter/ });
  writer.data(Buffer.from('!'));
  t.notThrows(() => writer.end(undefined));
});

test('what one message announced does not hold for the next', (t) => {
  const { output, writer } = start();
  writer.head(HEAD, length(5));
  writer.data(Buffer.from('hello'));
  writer.end(undefined);
  writer.head(HEAD, NONE);
  writer.end(undefined);
  writer.flush();
  t.is(output.writes.join(''), `${HEAD}hello${HEAD}`);
});

test('bulk leaves in one vectored write', (t) => {
  const { output, writer } = start();
  const bulk = Buffer.alloc(20_000, 'x');
  writer.head(HEAD, length(100_000));
  writer.flush();
  writer.data(bulk);
  writer.data(bulk);
  t.is(output.scheduled, 2);
  t.is(output.writes.length, 1);
  writer.flush();
  t.is(output.corked, 1);
  t.deepEqual(output.writes.slice(1), ['x'.repeat(40_000)]);
});

test('64 KiB that wait, wait no longer', (t) => {
  const { output, writer } = start();
  writer.head(HEAD, length(1_000_000));
  writer.flush();
  writer.data(Buffer.alloc(65_535, 'x'));
  t.is(output.writes.length, 1);
  writer.data(Buffer.alloc(1, 'y'));
  t.is(output.writes[1], `${'x'.repeat(65_535)}y`);
});

test('a part that waits alone is handed over without a copy', (t) => {
  const written: Buffer[] = [];
  const output = { ...new Output(), write: (bytes: Buffer) => written.push(bytes), cork: () => undefined, uncork: () => undefined };
  const writer = new MessageWriter(output, () => undefined);
  writer.head(HEAD, CLOSE);
  writer.flush();
  const chunk = Buffer.from('hello');
  writer.data(chunk);
  writer.flush();
  t.is(written[1], chunk);
});

test('the source is to pause once the output holds more than 128 KiB, and not before', (t) => {
  const { output, writer } = start();
  writer.head(HEAD, CLOSE);
  output.writableLength = 128 * 1024;
  t.false(writer.isFull);
  t.true(writer.data(Buffer.from('x')));
  output.writableLength += 1;
  t.true(writer.isFull);
  t.false(writer.data(Buffer.from('x')));
});

test('a message is taken back as long as nothing of it has been written', (t) => {
  const { output, writer } = start();
  writer.head(HEAD, CHUNKED);
  writer.data(Buffer.from('hello'));
  t.true(writer.retract());
  writer.head('HTTP/1.1 502 Bad Gateway\r\n\r\n', length(0));
  writer.end(undefined);
  writer.flush();
  t.deepEqual(output.writes, ['HTTP/1.1 502 Bad Gateway\r\n\r\n']);
  t.false(writer.retract(), 'it has been written');
  writer.head(HEAD, CHUNKED);
  writer.data(Buffer.alloc(64 * 1024));
  t.false(writer.retract(), 'some of it has been written');
});
