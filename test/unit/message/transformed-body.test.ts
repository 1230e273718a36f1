import test from 'ava';
import { AlterError } from '../../../src/errors.ts';
import type { BodyLength, BodyTransform } from '../../../src/message/body.ts';
import { TransformedBody } from '../../../src/message/transformed-body.ts';
import { HandSource, KeepingSink } from '../../support/body.ts';

const QUOTING: BodyTransform = {
  write(chunk) {
    if (chunk.includes('!')) throw new AlterError('malformed_request');
    if (chunk.includes('?')) throw new Error('defect');
    return chunk.length === 0 ? [] : [Buffer.from('<'), chunk, Buffer.from('>')];
  },
  end: (trailers) => ({ pieces: [Buffer.from('.')], trailers }),
};

function transformed(length: BodyLength): { source: HandSource; sink: KeepingSink; body: TransformedBody } {
  const source = new HandSource();
  const sink = new KeepingSink();
  const body = new TransformedBody(source, QUOTING, length);
  body.start(sink);
  return { source, sink, body };
}

const CHUNKED: BodyLength = { kind: 'chunked' };

test('what leaves is what the transform makes of it, with the back-pressure of the sink', (t) => {
  const { source, sink, body } = transformed(CHUNKED);
  t.true(source.sink?.write(Buffer.from('a')));
  sink.takes = false;
  t.false(source.sink?.write(Buffer.from('b')));
  t.true(source.sink?.write(Buffer.alloc(0)), 'nothing was written, so nothing is full');
  body.resume();
  t.is(source.resumed, 1);
  source.sink?.end();
  t.is(sink.text, '<a><b>.');
  t.is(sink.ends.length, 1);
});

test('what it throws ends the body in both directions, once', (t) => {
  for (const [chunk, code] of [
    ['!', 'malformed_request'],
    ['?', 'internal_error'],
  ] as const) {
    const { source, sink } = transformed(CHUNKED);
    source.sink?.write(Buffer.from(chunk));
    source.sink?.write(Buffer.from('more'));
    source.sink?.end();
    t.is(sink.text, '');
    t.deepEqual([sink.ends.length, sink.aborts.map((error) => (error as AlterError).code)], [0, [code]]);
    t.is(source.cancelled, sink.aborts[0]);
  }
});

test('the announced length is kept, or the body breaks off', (t) => {
  const right = transformed({ kind: 'length', bytes: 4 });
  right.source.sink?.write(Buffer.from('a'));
  right.source.sink?.end();
  t.deepEqual([right.sink.text, right.sink.ends.length], ['<a>.', 1]);
  for (const bytes of [0, 2, 3, 5]) {
    const { source, sink } = transformed({ kind: 'length', bytes });
    source.sink?.write(Buffer.from('a'));
    source.sink?.end();
    t.deepEqual([sink.ends.length, sink.aborts.length], [0, 1], String(bytes));
    t.true(sink.text.length <= bytes);
  }
});

test('the end of either side reaches the other', (t) => {
  const early = transformed(CHUNKED);
  early.source.sink?.abort(new Error('gone'));
  t.is(early.sink.aborts.length, 1);
  const unwanted = transformed(CHUNKED);
  unwanted.body.cancel(new Error('closed'));
  t.is(unwanted.source.cancelled?.message, 'closed');
  unwanted.source.sink?.write(Buffer.from('a'));
  t.is(unwanted.sink.text, '');
});
