// Nanoseconds per message of the HTTP/1.1 codec alone: node bench/h1-codec.mjs [folder of the compiled code]
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const dist = resolve(process.argv[2] ?? 'dist');
const load = (file) => import(pathToFileURL(`${dist}/src/message/h1/${file}.js`).href);
const { RequestParser } = await load('request-parser');
const { ResponseParser } = await load('response-parser');
const { DEFAULT_H1_LIMITS } = await load('limits');
const { chunkHeader, gather, lastChunk, requestHead, responseHead, CHUNK_END } = await load('serialise');

const REQUEST = Buffer.from(
  [
    'POST /v1/chat/completions?stream=false HTTP/1.1',
    'Host: api.example.com',
    'User-Agent: example-sdk/2.31.0 (linux; node 20)',
    'Accept: application/json',
    'Accept-Encoding: gzip, deflate, br',
    'Connection: keep-alive',
    'Content-Type: application/json',
    'X-Request-Id: 0af7651916cd43dd8448eb211c80319c',
    'Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    'X-Alter-Grant: 7f9c24e8-3b1a-4c7d-9e2f-1a2b3c4d5e6f',
    'Content-Length: 16',
    '',
    '{"model":"tiny"}',
  ].join('\r\n'),
);
const FIELDS = [
  'Date: Sun, 22 Nov 2026 01:02:03 GMT',
  'Content-Type: application/json; charset=utf-8',
  'Server: example',
  'Cache-Control: no-store',
  'Vary: Origin, Accept-Encoding',
  'X-Request-Id: 0af7651916cd43dd8448eb211c80319c',
  'Strict-Transport-Security: max-age=31536000; includeSubDomains',
  'X-RateLimit-Limit: 5000',
  'X-RateLimit-Remaining: 4999',
];
const body = Buffer.alloc(1024, 'x');
const RESPONSE = gather([`${['HTTP/1.1 200 OK', ...FIELDS, 'Content-Length: 1024'].join('\r\n')}\r\n\r\n`, body]);
const CHUNKED = gather([
  `${['HTTP/1.1 200 OK', ...FIELDS, 'Transfer-Encoding: chunked'].join('\r\n')}\r\n\r\n400\r\n`,
  body,
  '\r\n0\r\n\r\n',
]);

const last = { head: undefined, data: undefined, trailers: undefined };
const handler = {
  head: (head) => void (last.head = head),
  data: (chunk) => void (last.data = chunk),
  end: (trailers) => void (last.trailers = trailers),
  informational: () => undefined,
  upgrade: () => undefined,
};
const requests = new RequestParser(handler, DEFAULT_H1_LIMITS);
const responses = new ResponseParser(handler, DEFAULT_H1_LIMITS);

const parseRequest = () => requests.execute(REQUEST);
const writeRequest = () => gather([requestHead(last.head.method, last.head.target, last.head.headers, last.head.bodyLength), last.data]);
const parseResponse = (bytes) => {
  responses.expect('GET');
  return responses.execute(bytes);
};
const withoutTransferEncoding = () => last.head.headers.delete('transfer-encoding');
const writeResponse = () => gather([responseHead(last.head.status, last.head.reason, last.head.headers, last.head.bodyLength), last.data]);
const writeChunked = () => {
  const { status, reason, headers, bodyLength } = last.head;
  return gather([
    responseHead(status, reason, headers, bodyLength),
    chunkHeader(last.data.length),
    last.data,
    CHUNK_END,
    lastChunk(last.trailers),
  ]);
};

/** CPU time, best of several rounds: the machine may be busy with other things. */
function measure(name, run) {
  const COUNT = 20_000;
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 8; round += 1) {
    const start = process.cpuUsage();
    for (let i = 0; i < COUNT; i += 1) run();
    const { user, system } = process.cpuUsage(start);
    best = Math.min(best, ((user + system) * 1000) / COUNT);
  }
  console.log(`${name.padEnd(44)} ${best.toFixed(0).padStart(6)} ns`);
}

measure('request, 10 fields: parse', parseRequest);
measure('request, 10 fields: serialise with body', writeRequest);
measure('request: parse and serialise', () => (parseRequest(), writeRequest()));
measure('response, 10 fields, 1 KiB: parse', () => parseResponse(RESPONSE));
measure('response: serialise with body', writeResponse);
measure('response: parse and serialise', () => (parseResponse(RESPONSE), writeResponse()));
measure('chunked response, 1 KiB: parse', () => parseResponse(CHUNKED));
measure('chunked response: parse and serialise', () => (parseResponse(CHUNKED), withoutTransferEncoding(), writeChunked()));
