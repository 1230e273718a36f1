/** Chunk-signed bodies: the client's false signatures are replaced by true ones, and a framing that is not exactly the announced one is refused. */
import test from 'ava';
import { resignChunks, MAX_CHUNK_BYTES, type ChunkMode } from '../../../../src/inject/sigv4/chunk-stream.ts';
import type { ChunkSigning } from '../../../../src/inject/sigv4/chunk-signature.ts';
import { v4aKey } from '../../../../src/inject/sigv4/v4a-key.ts';
import { clientBody, DUMMY, signingKey, transformed, verifyBody } from '../../../support/aws-chunks.ts';
import { refusalOf } from '../../../support/refusal.ts';

/** The credential and the request of the examples in the Amazon S3 API reference. */
const EXAMPLE_SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const EXAMPLE: ChunkSigning = {
  key: signingKey(EXAMPLE_SECRET, '20130524', 'us-east-1', 's3'),
  scope: '20130524/us-east-1/s3/aws4_request',
  amzDate: '20130524T000000Z',
  seed: '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
};
const EXAMPLE_CHUNKS = [Buffer.alloc(65536, 'a'), Buffer.alloc(1024, 'a')];
const ASYMMETRIC: ChunkSigning = {
  key: v4aKey('AKIAIOSFODNN7EXAMPLE', EXAMPLE_SECRET),
  scope: '20130524/s3/aws4_request',
  amzDate: '20130524T000000Z',
  seed: '3044',
};
const PLAIN: ChunkMode = { trailers: false, decodedLength: undefined };
const WITH_TRAILERS: ChunkMode = { trailers: true, decodedLength: undefined };
const CHECKSUM = 'x-amz-checksum-crc32c:sOO8/Q==';
const SIG = `;chunk-signature=${DUMMY.hmac}`;

function resigned(body: Buffer | string, mode: ChunkMode = PLAIN, signing = EXAMPLE): Buffer {
  return transformed(resignChunks(signing, mode), Buffer.from(body));
}

test('the example of the documentation gets the signatures of the documentation', (t) => {
  const body = clientBody(EXAMPLE_CHUNKS);
  t.is(body.length, 66824, 'the Content-Length of the example');
  const leaving = resigned(body, { trailers: false, decodedLength: 66560 });
  t.is(leaving.length, body.length);
  const { data, signatures } = verifyBody(leaving, EXAMPLE, false);
  t.true(data.equals(Buffer.concat(EXAMPLE_CHUNKS)));
  t.deepEqual(signatures, [
    'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648',
    '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497',
    'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9',
  ]);
});

test('the example with trailing headers gets the signatures of the documentation', (t) => {
  const signing = { ...EXAMPLE, seed: '106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e' };
  const body = clientBody(EXAMPLE_CHUNKS, [CHECKSUM]);
  const leaving = resigned(body, { trailers: true, decodedLength: 66560 }, signing);
  t.is(leaving.length, body.length);
  const { signatures, trailers } = verifyBody(leaving, signing, true);
  t.deepEqual(signatures, [
    'b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2',
    '1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7',
    '2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992',
    'd81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435',
  ]);
  t.deepEqual(trailers, [CHECKSUM]);
});

test('the verifier of these tests knows a false signature', (t) => {
  t.throws(() => verifyBody(clientBody(['data']), EXAMPLE, false), { message: /PAYLOAD signature number 1/ });
  const leaving = resigned(clientBody(['data'], [CHECKSUM]), WITH_TRAILERS).toString('latin1');
  t.throws(() => verifyBody(Buffer.from(leaving.replace('sOO8', 'sOO9')), EXAMPLE, true), { message: /TRAILER signature number 3/ });
});

test('an empty object has one chunk', (t) => {
  const leaving = resigned(clientBody([]), { trailers: false, decodedLength: 0 });
  t.is(verifyBody(leaving, EXAMPLE, false).data.length, 0);
});

test('sizes leave as the client spelled them', (t) => {
  const body = `00A${SIG}\r\n0123456789\r\n00${SIG}\r\n\r\n`;
  t.regex(resigned(body).toString(), /^00A;chunk-signature=[0-9a-f]{64}\r\n0123456789\r\n00;chunk-signature=[0-9a-f]{64}\r\n\r\n$/);
});

test('trailing headers are signed by lower-case name, in order, and leave as they came', (t) => {
  const lines = ['x-amz-meta-b:2', 'X-Amz-Checksum-Crc32:  AAAAAA== '];
  const leaving = resigned(clientBody(['data'], lines), WITH_TRAILERS).toString();
  t.true(leaving.includes(`\r\n${lines.join('\r\n')}\r\nx-amz-trailer-signature:`));
  const canonical = resigned(clientBody(['data'], ['x-amz-checksum-crc32:AAAAAA==', 'x-amz-meta-b:2']), WITH_TRAILERS).toString();
  const signatureOf = (text: string): string => text.slice(-68);
  t.is(signatureOf(leaving), signatureOf(canonical));
});

test('the LF that minio-go writes before the CRLF of a trailing header stays', (t) => {
  const body = clientBody(['data'], [CHECKSUM], { trailerEnd: '\n\r\n' });
  const leaving = resigned(body, WITH_TRAILERS);
  t.is(leaving.length, body.length);
  t.true(leaving.includes(`${CHECKSUM}\n\r\nx-amz-trailer-signature:`));
  t.deepEqual(verifyBody(leaving, EXAMPLE, true).trailers, [CHECKSUM]);
});

for (const trailers of [undefined, [CHECKSUM]]) {
  test(`SigV4a ${trailers === undefined ? 'without' : 'with'} trailing headers: signatures of 144 characters, padded`, (t) => {
    const body = clientBody(['a'.repeat(9000), 'b'], trailers, { signature: DUMMY.ecdsa });
    const mode = { trailers: trailers !== undefined, decodedLength: 9001 };
    const leaving = resigned(body, mode, ASYMMETRIC);
    t.is(leaving.length, body.length);
    t.is(verifyBody(leaving, ASYMMETRIC, mode.trailers).data.toString(), `${'a'.repeat(9000)}b`);
  });
}

test('nothing of a chunk leaves before all of it has come', (t) => {
  const transform = resignChunks(EXAMPLE, PLAIN);
  const body = clientBody(['x'.repeat(20000)]);
  t.deepEqual(transform.write(body.subarray(0, 20000)), []);
  t.is(Buffer.concat([...transform.write(body.subarray(20000))]).length, body.length);
});

test('large pieces of a chunk leave uncopied', (t) => {
  const body = clientBody([Buffer.alloc(65536, 'x')]);
  const leaving = resignChunks(EXAMPLE, PLAIN).write(body);
  t.true(leaving.some((piece) => piece.buffer === body.buffer && piece.length === 65538));
});

test('a chunk that trickles in is held in few pieces', (t) => {
  const transform = resignChunks(EXAMPLE, PLAIN);
  const body = clientBody([Buffer.alloc(65536, 'x')]);
  const leaving = Array.from({ length: body.length }, (_, at) => transform.write(body.subarray(at, at + 1))).flat();
  t.true(leaving.length <= 8, `${leaving.length} pieces`);
  t.is(verifyBody(Buffer.concat(leaving), EXAMPLE, false).data.length, 65536);
});

test('a chunk may be as large as allowed, and no larger', (t) => {
  t.is(resigned(clientBody(['x'.repeat(100)]), { ...PLAIN, maxChunkBytes: 100 }).length, clientBody(['x'.repeat(100)]).length);
  const refusal = refusalOf(() => resigned(clientBody(['x'.repeat(101)]), { ...PLAIN, maxChunkBytes: 100 }));
  t.is(refusal.code, 'body_too_large_to_sign');
  t.is(refusalOf(() => resigned(clientBody([Buffer.alloc(MAX_CHUNK_BYTES + 1)]))).code, 'body_too_large_to_sign');
  t.is(refusalOf(() => resigned(`ffffffff${SIG}\r\n`)).code, 'body_too_large_to_sign');
});

test('a body that is refused says so with its first wrong chunk, and what left before it was right', (t) => {
  const transform = resignChunks(EXAMPLE, { trailers: false, decodedLength: 5 });
  const first = transform.write(Buffer.from(`4${SIG}\r\ndata\r\n`));
  t.is(Buffer.concat([...first]).length, 4 + 2 + 1 + SIG.length + 2);
  t.is(refusalOf(() => transform.write(Buffer.from(`2${SIG}\r\n`))).code, 'malformed_request');
});

const TRAILED = `0${SIG}\r\n${CHECKSUM}\r\nx-amz-trailer-signature:${DUMMY.hmac}\r\n\r\n`;

const MALFORMED: readonly (readonly [string, string, ChunkMode?])[] = [
  ['nothing', ''],
  ['an unsigned chunk', '4\r\ndata\r\n0\r\n\r\n'],
  ['an unsigned last chunk', `4${SIG}\r\ndata\r\n0\r\n\r\n`],
  ['a signature that is short', `4${SIG.slice(0, -1)}\r\ndata\r\n0${SIG}\r\n\r\n`],
  ['a signature that is long', `4${SIG}d\r\ndata\r\n0${SIG}\r\n\r\n`],
  ['a signature that is no hex', `4${SIG.slice(0, -1)}g\r\ndata\r\n0${SIG}\r\n\r\n`],
  ['a padded signature', `4${SIG.slice(0, -1)}*\r\ndata\r\n0${SIG}\r\n\r\n`],
  ['a signature of SigV4a', clientBody(['data'], undefined, { signature: DUMMY.ecdsa }).toString()],
  ['a quoted signature', `4;chunk-signature="${DUMMY.hmac}"\r\ndata\r\n0${SIG}\r\n\r\n`],
  ['an extension before', `4;a=b${SIG}\r\ndata\r\n0${SIG}\r\n\r\n`],
  ['an extension behind', `4${SIG};a=b\r\ndata\r\n0${SIG}\r\n\r\n`],
  ['two signatures', `4${SIG}${SIG}\r\ndata\r\n0${SIG}\r\n\r\n`],
  ['another extension', `4;chunk-signatur=${DUMMY.hmac}\r\ndata\r\n0${SIG}\r\n\r\n`],
  ['an extension in capitals', `4;Chunk-Signature=${DUMMY.hmac}\r\ndata\r\n0${SIG}\r\n\r\n`],
  ['a space before the size', ` 4${SIG}\r\ndata\r\n0${SIG}\r\n\r\n`],
  ['a space behind the size', `4 ${SIG}\r\ndata\r\n0${SIG}\r\n\r\n`],
  ['a space behind the signature', `4${SIG} \r\ndata\r\n0${SIG}\r\n\r\n`],
  ['a sign', `+4${SIG}\r\ndata\r\n0${SIG}\r\n\r\n`],
  ['a negative size', `-4${SIG}\r\ndata\r\n0${SIG}\r\n\r\n`],
  ['0x', `0x4${SIG}\r\ndata\r\n0${SIG}\r\n\r\n`],
  ['no size', `${SIG}\r\ndata\r\n0${SIG}\r\n\r\n`],
  ['a size of nine digits', `000000004${SIG}\r\ndata\r\n0${SIG}\r\n\r\n`],
  ['a size that is no hex', `g${SIG}\r\ndata\r\n0${SIG}\r\n\r\n`],
  ['LF behind the signature', `4${SIG}\ndata\r\n0${SIG}\r\n\r\n`],
  ['CR in the line', `4\r${SIG}\r\ndata\r\n0${SIG}\r\n\r\n`],
  ['LF behind the data', `4${SIG}\r\ndata\n0${SIG}\r\n\r\n`],
  ['CR without LF behind the data', `4${SIG}\r\ndata\r0${SIG}\r\n\r\n`],
  ['data that is longer than its size', `3${SIG}\r\ndata\r\n0${SIG}\r\n\r\n`],
  ['data that is shorter than its size', `6${SIG}\r\ndata\r\n0${SIG}\r\n\r\n`],
  ['a line without end', '4'.repeat(200)],
  ['an end before the last chunk', `4${SIG}\r\ndata\r\n`],
  ['an end within the data', `4${SIG}\r\ndat`],
  ['an end behind the data', `4${SIG}\r\ndata`],
  ['an end within a line', `4${SIG}\r\ndata\r\n0;chunk-`],
  ['no empty line at the end', `0${SIG}\r\n`],
  ['half an empty line at the end', `0${SIG}\r\n\r`],
  ['bytes behind the end', `0${SIG}\r\n\r\n\r\n`],
  ['a chunk behind the last', `0${SIG}\r\n\r\n4${SIG}\r\ndata\r\n`],
  ['trailing headers that were not announced', TRAILED],
  ['fewer bytes than announced', clientBody(['data']).toString(), { trailers: false, decodedLength: 5 }],
  ['more bytes than announced', clientBody(['data']).toString(), { trailers: false, decodedLength: 3 }],
  ['trailing headers announced, an ordinary end', clientBody(['data']).toString(), WITH_TRAILERS],
  ['trailing headers announced, none there', clientBody(['data'], []).toString(), WITH_TRAILERS],
  ['trailing headers announced, nothing there', `0${SIG}\r\n`, WITH_TRAILERS],
  ['trailing headers without signature', `0${SIG}\r\n${CHECKSUM}\r\n\r\n`, WITH_TRAILERS],
  ['trailing headers with two signatures', TRAILED.replace(/\r\n$/, `x-amz-trailer-signature:${DUMMY.hmac}\r\n\r\n`), WITH_TRAILERS],
  ['a header behind the signature', TRAILED.replace(/\r\n$/, `${CHECKSUM}\r\n\r\n`), WITH_TRAILERS],
  ['bytes behind the trailing headers', `${TRAILED}x`, WITH_TRAILERS],
  ['no empty line behind the trailing headers', TRAILED.slice(0, -2), WITH_TRAILERS],
  ['a trailing header twice', clientBody([], [CHECKSUM, CHECKSUM.toUpperCase()]).toString(), WITH_TRAILERS],
  ['a trailing header without colon', clientBody([], ['x-amz-checksum-crc32c']).toString(), WITH_TRAILERS],
  ['a trailing header without name', clientBody([], [':sOO8/Q==']).toString(), WITH_TRAILERS],
  ['a trailing header without value', clientBody([], ['x-amz-checksum-crc32c:']).toString(), WITH_TRAILERS],
  ['a trailing header with a space in its name', clientBody([], ['x-amz-checksum-crc32c :sOO8/Q==']).toString(), WITH_TRAILERS],
  ['a trailing header with a space in its value', clientBody([], ['x-amz-checksum-crc32c:sOO8 /Q==']).toString(), WITH_TRAILERS],
  ['a folded trailing header', clientBody([], [CHECKSUM, ' more']).toString(), WITH_TRAILERS],
  ['a trailing header with CR in it', clientBody([], ['x-amz-checksum-crc32c:sOO8\r/Q==']).toString(), WITH_TRAILERS],
  ['a trailing header that ends in LF', clientBody([], [CHECKSUM], { trailerEnd: '\n' }).toString(), WITH_TRAILERS],
  ['a signature line with LF before CRLF', TRAILED.replace(/\r\n\r\n$/, '\n\r\n\r\n'), WITH_TRAILERS],
  ['a trailer signature that is short', TRAILED.replace(/d\r\n\r\n$/, '\r\n\r\n'), WITH_TRAILERS],
  ['trailing headers without bound', clientBody([], [`x-amz-checksum-a:${'a'.repeat(5000)}`]).toString(), WITH_TRAILERS],
];

for (const [what, body, mode] of MALFORMED) {
  test(`refused: ${what}`, (t) => {
    t.is(refusalOf(() => resigned(body, mode)).code, 'malformed_request');
    const bytewise = (): Buffer =>
      transformed(
        resignChunks(EXAMPLE, mode ?? PLAIN),
        Buffer.from(body),
        Array.from({ length: body.length }, (_, at) => at),
      );
    t.is(refusalOf(bytewise).code, 'malformed_request');
  });
}

test('a refusal quotes nothing of the body', (t) => {
  const { detail } = refusalOf(() => resigned(`4;secret-thing=${DUMMY.hmac}\r\ndata\r\n`));
  t.false(detail.includes('secret-thing'));
});

test('trailers of the HTTP framing pass', (t) => {
  const transform = resignChunks(EXAMPLE, PLAIN);
  transform.write(clientBody([]));
  t.deepEqual(transform.end(undefined), { pieces: [], trailers: undefined });
});
