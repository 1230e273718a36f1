/** Chunk-signed bodies: whatever the chunks and however they are cut on their way, what leaves is signed and as long as what came. */
import test from 'ava';
import fc from 'fast-check';
import { resignChunks } from '../../src/inject/sigv4/chunk-stream.ts';
import { clientBody, signingKey, transformed, verifyBody } from '../support/aws-chunks.ts';
import { AlterError } from '../../src/errors.ts';

const SIGNING = {
  key: signingKey('secret', '20251125', 'us-east-1', 's3'),
  scope: '20251125/us-east-1/s3/aws4_request',
  amzDate: '20251125T120000Z',
  seed: 'ab'.repeat(32),
};

const chunk = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 40 }),
  fc.integer({ min: 1, max: 20_000 }).map((length) => new Uint8Array(length).fill(13)),
);
const chunks = fc.array(
  chunk.map((bytes) => Buffer.from(bytes)),
  { maxLength: 5 },
);
const trailers = fc.option(fc.constantFrom(['x-amz-checksum-crc32:AAAAAA=='], ['x-amz-a:1', 'x-amz-b:2']), { nil: undefined });
const offsets = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 });

test('any body in any pieces leaves signed, with its data, its length and its trailers', (t) => {
  fc.assert(
    fc.property(chunks, trailers, offsets, (parts, lines, cuts) => {
      const body = clientBody(parts, lines);
      const data = Buffer.concat(parts);
      const mode = { trailers: lines !== undefined, decodedLength: data.length };
      const leaving = transformed(
        resignChunks(SIGNING, mode),
        body,
        cuts.map((cut) => Math.floor(cut * body.length)),
      );
      const read = verifyBody(leaving, SIGNING, mode.trailers);
      return leaving.length === body.length && read.data.equals(data) && read.trailers.join() === (lines ?? []).join();
    }),
    { numRuns: 300 },
  );
  t.pass();
});

test('a body with one octet changed is refused, or leaves as a body that is signed', (t) => {
  fc.assert(
    fc.property(chunks, trailers, fc.nat(), fc.nat({ max: 255 }), (parts, lines, position, octet) => {
      const body = clientBody(parts, lines);
      body[position % body.length] = octet;
      const mode = { trailers: lines !== undefined, decodedLength: Buffer.concat(parts).length };
      let leaving;
      try {
        leaving = transformed(resignChunks(SIGNING, mode), body);
      } catch (error) {
        return error instanceof AlterError && error.code === 'malformed_request';
      }
      return verifyBody(leaving, SIGNING, mode.trailers).data.length === mode.decodedLength;
    }),
    { numRuns: 500 },
  );
  t.pass();
});
