import { hash } from 'node:crypto';
import test from 'ava';
import { MemoryBudget } from '../../../src/message/memory-budget.ts';
import type { OutboundRequest } from '../../../src/message/request.ts';
import { copyOf, draftOf, frame } from '../../../src/pipeline/draft-body.ts';
import type { OutboundDraft } from '../../../src/pipeline/draft-body.ts';
import { RequestBody } from '../../../src/pipeline/request-body.ts';
import { HandSource, KeepingSink } from '../../support/body.ts';
import { draft as plainDraft } from '../../support/injection.ts';

const OBSERVER = { received: () => undefined, bodyMemory: new MemoryBudget(1_000_000), bodySpool: undefined };

const request = (...lines: string[]): OutboundRequest => ({
  ...plainDraft('/', ...lines),
  bodyLength: { kind: 'length', bytes: 3 },
  acceptsTrailers: true,
});

function drafted(...lines: string[]): { source: HandSource; client: RequestBody; draft: OutboundDraft } {
  const source = new HandSource();
  const client = new RequestBody(source, { kind: 'length', bytes: 3 }, OBSERVER);
  return { source, client, draft: draftOf(request(...lines), client) };
}

async function reads({ source, draft }: { source: HandSource; draft: OutboundDraft }): Promise<Buffer | undefined> {
  const reading = draft.body?.read(100);
  source.sink?.write(Buffer.from('abc'));
  source.sink?.end();
  return reading;
}

function leaves(draft: OutboundDraft): string {
  const sink = new KeepingSink();
  draft.body?.leaving().start(sink);
  return sink.text;
}

test('a body that was read keeps its Content-Length as the client wrote it', async (t) => {
  const given = drafted('content-length: 3');
  t.is(String(await reads(given)), 'abc');
  t.deepEqual(given.draft.headers.flat(), ['content-length', '3']);
  t.is(leaves(given.draft), 'abc');
});

test('a replaced one loses it, and is what is read next', async (t) => {
  const given = drafted('Content-Length: 3', 'X-Other: 1');
  await reads(given);
  given.draft.body?.replace(Buffer.from('longer'));
  t.deepEqual(given.draft.headers.flat(), ['X-Other', '1']);
  t.deepEqual(given.draft.bodyLength, { kind: 'length', bytes: 6 });
  t.is(String(await given.draft.body?.read(100)), 'longer');
  given.draft.body?.replace(Buffer.from('no'));
  t.is(leaves(given.draft), 'no');
  t.deepEqual(given.draft.bodyLength, { kind: 'length', bytes: 2 });
});

test('another draft of the same request begins with what the client sent', async (t) => {
  const given = drafted();
  await reads(given);
  given.draft.body?.replace(Buffer.from('changed'));
  const again = draftOf({ ...request(), bodyLength: { kind: 'chunked' } }, given.client);
  t.deepEqual(again.bodyLength, { kind: 'length', bytes: 3 });
  t.is(String(await again.body?.read(100)), 'abc');
  t.is(leaves(again), 'abc');
});

test('a transform sees what would leave; once it is there, nothing else may change the body', async (t) => {
  const upper = {
    write: (chunk: Buffer) => [Buffer.from(chunk.toString().toUpperCase())],
    end: () => ({ pieces: [], trailers: undefined }),
  };
  const given = drafted('Content-Length: 3');
  await reads(given);
  given.draft.body?.transform(upper, { kind: 'chunked' });
  t.deepEqual([given.draft.bodyLength, given.draft.headers.size], [{ kind: 'chunked' }, 0]);
  t.is(leaves(given.draft), 'ABC');
  await t.throwsAsync(async () => given.draft.body?.read(100));
  t.throws(() => given.draft.body?.transform(upper, { kind: 'chunked' }));
});

test('what was not read cannot be replaced', (t) => {
  t.throws(() => drafted().draft.body?.replace(Buffer.from('x')));
});

test('a copy shares nothing that injection changes', (t) => {
  const original = request('A: 1');
  const copy = copyOf(original);
  copy.headers.append('B', '2');
  copy.url = { path: '/other', query: undefined };
  frame(copy, { kind: 'chunked' });
  t.true(copy.acceptsTrailers);
  t.deepEqual([original.headers.flat(), original.url.path, original.bodyLength], [['A', '1'], '/', { kind: 'length', bytes: 3 }]);
});

test('a digest is that of what leaves', async (t) => {
  const given = drafted('Content-Length: 3');
  await reads(given);
  const abc = await given.draft.body?.digest('sha256', 100);
  t.is(abc, hash('sha256', 'abc', 'hex'));
  given.draft.body?.replace(Buffer.from('longer'));
  t.is(await given.draft.body?.digest('sha256', 100), hash('sha256', 'longer', 'hex'));
});
