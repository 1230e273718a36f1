// Throughput of signing aws-chunked bodies in flight, beside what cannot be avoided: node bench/aws-chunks.mjs [folder of the compiled code]
// Each body arrives as TLS hands it over, in pieces of 16 KiB.
import { createHash, randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const dist = resolve(process.argv[2] ?? 'dist');
const load = (file) => import(pathToFileURL(`${dist}/src/inject/sigv4/${file}.js`).href);
const { resignChunks } = await load('chunk-stream');
const { v4aKey } = await load('v4a-key');

const PIECE = 16 * 1024;
const BODY = 64 * 1024 * 1024;
const SIGNING = { scope: '20251125/us-east-1/s3/aws4_request', amzDate: '20251125T120000Z', seed: 'ab'.repeat(32) };
const HMAC = { ...SIGNING, key: randomBytes(32) };
const ECDSA = { ...SIGNING, key: v4aKey('AKIDEXAMPLE', 'secret') };

function bodyOf(chunkBytes, signature) {
  const data = randomBytes(chunkBytes);
  const line = Buffer.from(`${chunkBytes.toString(16)};chunk-signature=${signature}\r\n`);
  const parts = Array.from({ length: BODY / chunkBytes }, () => [line, data, '\r\n'].map((part) => Buffer.from(part))).flat();
  const body = Buffer.concat([...parts, Buffer.from(`0;chunk-signature=${signature}\r\n\r\n`)]);
  return Array.from({ length: Math.ceil(body.length / PIECE) }, (_, index) =>
    Buffer.from(body.subarray(index * PIECE, (index + 1) * PIECE)),
  );
}

function measure(name, pieces, run) {
  const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const rates = [];
  for (let round = 0; round < 7; round += 1) {
    const start = process.hrtime.bigint();
    run(pieces);
    rates.push(bytes / Number(process.hrtime.bigint() - start));
  }
  const best = rates.sort((one, other) => other - one)[0];
  console.log(`${name.padEnd(44)} ${best.toFixed(2)} GB/s`);
  return best;
}

function resign(signing) {
  return (pieces) => {
    const transform = resignChunks(signing, { trailers: false, decodedLength: BODY, maxChunkBytes: 16 * 1024 * 1024 });
    let bytes = 0;
    for (const piece of pieces) for (const leaving of transform.write(piece)) bytes += leaving.length;
    transform.end(undefined);
    return bytes;
  };
}

const plain = bodyOf(64 * 1024, 'a'.repeat(64));
measure('copying', plain, (pieces) => pieces.forEach((piece) => Buffer.from(piece)));
const floor = measure('SHA-256 of every byte', plain, (pieces) => pieces.forEach((piece) => createHash('sha256').update(piece).digest()));
for (const kib of [8, 64, 128, 1024, 16384]) {
  const rate = measure(`signed anew, chunks of ${kib} KiB`, bodyOf(kib * 1024, 'a'.repeat(64)), resign(HMAC));
  console.log(`${''.padEnd(44)} ${((100 * rate) / floor).toFixed(0)} % of hashing alone`);
}
measure('SigV4a, chunks of 64 KiB', bodyOf(64 * 1024, 'a'.repeat(144)), resign(ECDSA));
