/** Every payload of the corpus is read exactly as it says: at once, byte by byte, and never further than the refusal. */
import test from 'ava';
import type { H1Case } from '../../../corpus/h1-case.ts';
import { H1_REQUESTS } from '../../../corpus/h1-requests.ts';
import { H1_RESPONSES } from '../../../corpus/h1-responses.ts';
import { readRequests, readResponse, singly, type Transcript } from '../../../support/h1-reading.ts';

/** What a transcript says in the words of the corpus. */
function summary(transcript: Transcript<unknown>): unknown {
  const reads = transcript.readings
    .filter((reading) => reading.complete)
    .map(({ start, body, trailers }) => ({ start, ...(body !== '' && { body }), ...(trailers.length > 0 && { trailers }) }));
  return { reads, ends: transcript.ends };
}

const expected = ({ reads, ends }: H1Case): unknown => ({ reads, ends });

for (const item of H1_REQUESTS) {
  test(`request, ${item.name}`, (t) => {
    const bytes = Buffer.from(item.bytes, 'latin1');
    t.deepEqual(summary(readRequests([bytes])), expected(item));
    t.deepEqual(summary(readRequests(singly(bytes))), expected(item));
  });
}

for (const item of H1_RESPONSES) {
  test(`response, ${item.name}`, (t) => {
    const bytes = Buffer.from(item.bytes, 'latin1');
    t.deepEqual(summary(readResponse([bytes], item.asked)), expected(item));
    t.deepEqual(summary(readResponse(singly(bytes), item.asked)), expected(item));
  });
}

test('the corpus has 150 payloads at least, each under its own name', (t) => {
  for (const names of [H1_REQUESTS, H1_RESPONSES].map((cases) => cases.map(({ name }) => name))) t.is(new Set(names).size, names.length);
  t.true(H1_REQUESTS.length + H1_RESPONSES.length >= 150);
});
