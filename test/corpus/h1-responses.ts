import type { Asked, Ending } from '../support/h1-reading.ts';
import type { ExpectedReading, H1Case } from './h1-case.ts';

/** Bytes that an origin sends for one request. */
export interface H1ResponseCase extends H1Case {
  readonly asked: Asked;
}

const GET: Asked = { method: 'GET', upgrade: false };
const OK: ExpectedReading = { start: '200 OK' };
/** What a hostile origin would like the next client to receive. */
const POISON = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison';

/** A 200 with these header lines and this body. */
function ok(name: string, lines: string, body: string, ends: Ending, reads: readonly ExpectedReading[] = []): H1ResponseCase {
  return { name, bytes: `HTTP/1.1 200 OK\r\n${lines}\r\n${body}`, reads, ends, asked: GET };
}

function line(name: string, text: string, ends: Ending): H1ResponseCase {
  return { name: `status line: ${name}`, bytes: `${text}Content-Length: 0\r\n\r\n`, reads: [], ends, asked: GET };
}

function chunked(name: string, body: string, ends: Ending): H1ResponseCase {
  return ok(`chunked: ${name}`, 'Transfer-Encoding: chunked\r\n', body, ends);
}

function answer(name: string, asked: Asked, bytes: string, reads: readonly ExpectedReading[], ends: Ending = 'clean'): H1ResponseCase {
  return { name, bytes, reads, ends, asked };
}

const HEAD: Asked = { method: 'HEAD', upgrade: false };
const CONNECT: Asked = { method: 'CONNECT', upgrade: false };
const UPGRADE: Asked = { method: 'GET', upgrade: true };
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n';

const LINES: readonly H1ResponseCase[] = [
  line('without space after the status', 'HTTP/1.1 200\r\n', 'bad_status_line'),
  line('two digits', 'HTTP/1.1 20 OK\r\n', 'bad_status_line'),
  line('four digits', 'HTTP/1.1 2000 OK\r\n', 'bad_status_line'),
  line('status with a sign', 'HTTP/1.1 +20 OK\r\n', 'bad_status_line'),
  line('status below 100', 'HTTP/1.1 099 OK\r\n', 'bad_status_line'),
  line('two spaces before the status', 'HTTP/1.1  200 OK\r\n', 'bad_status_line'),
  line('tab for a space', 'HTTP/1.1\t200 OK\r\n', 'bad_status_line'),
  line('HTTP/2', 'HTTP/2 200 OK\r\n', 'bad_version'),
  line('HTTP/1.2', 'HTTP/1.2 200 OK\r\n', 'bad_version'),
  line('HTTP/2.0', 'HTTP/2.0 200 OK\r\n', 'bad_version'),
  line('HTTP/0.9', 'HTTP/0.9 200 OK\r\n', 'bad_version'),
  line('an LF in front', '\nHTTP/1.1 200 OK\r\n', 'bare_lf'),
  line('lower-case version', 'http/1.1 200 OK\r\n', 'bad_status_line'),
  line('ICY', 'ICY 200 OK\r\n', 'bad_status_line'),
  line('NUL in the reason', 'HTTP/1.1 200 O\0K\r\n', 'bad_status_line'),
  line('bare LF at its end', 'HTTP/1.1 200 OK\n', 'bare_lf'),
  line('two CRs for a line end', 'HTTP/1.1 204 No Content\r\r', 'bare_cr'),
  line('bare CR in the reason', 'HTTP/1.1 200 O\rK\r\n', 'bare_cr'),
  line('an empty line in front', '\r\nHTTP/1.1 200 OK\r\n', 'bad_status_line'),
  line('HTTP/0.9: a body at once', '<html>', 'bad_status_line'),
];

const FIELDS: readonly H1ResponseCase[] = [
  ok('space before the colon', 'Content-Length : 6\r\n', 'poison', 'space_before_colon'),
  ok('folded value', 'X: a\r\n b\r\nContent-Length: 0\r\n', '', 'obs_fold'),
  ok('folded Content-Type', 'Content-Type: a;\r\n\tb=c\r\nContent-Length: 0\r\n', '', 'obs_fold'),
  ok('empty name', ': x\r\nContent-Length: 0\r\n', '', 'bad_field_name'),
  ok('line without colon', 'Content-Length\r\n', '', 'bad_field_name'),
  ok('name with a space inside', 'Content Length: 0\r\n', '', 'space_before_colon'),
  ok('name with NUL', 'X\0: 0\r\nContent-Length: 0\r\n', '', 'bad_field_name'),
  ok('value with NUL', 'X: \0\r\nContent-Length: 0\r\n', '', 'bad_field_value'),
  ok('value with escape', 'X: \x1b[0m\r\nContent-Length: 0\r\n', '', 'bad_field_value'),
  ok('bare LF', 'Content-Length: 0\n', '', 'bare_lf'),
  ok('bare LF that hides a field', 'X: y\nContent-Length: 6\r\n', 'poison', 'bare_lf'),
  ok('bare CR that hides a field', 'X: y\rContent-Length: 6\r\n', 'poison', 'bare_cr'),
  ok('too many fields', 'X: y\r\n'.repeat(257), '', 'too_many_fields'),
  ok('a line that is too long', `X: ${'y'.repeat(40_000)}\r\n`, '', 'line_too_long'),
  ok('a head that is too long', `X: ${'y'.repeat(1000)}\r\n`.repeat(70), '', 'head_too_long'),
  ok('Connection names Content-Length', 'Connection: content-length\r\nContent-Length: 6\r\n', 'poison', 'connection_names_framing'),
  ok('Connection that is no list', 'Connection: close "\r\nContent-Length: 0\r\n', '', 'bad_connection'),
];

const LENGTHS: readonly H1ResponseCase[] = [
  ok('Content-Length with Transfer-Encoding', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n', 'cl_with_te'),
  ok('two different Content-Lengths', 'Content-Length: 0\r\nContent-Length: 6\r\n', 'poison', 'repeated_content_length'),
  ok('two equal Content-Lengths', 'Content-Length: 6\r\nContent-Length: 6\r\n', 'poison', 'repeated_content_length'),
  ok('list of Content-Lengths', 'Content-Length: 6, 6\r\n', 'poison', 'bad_content_length'),
  ok('negative Content-Length', 'Content-Length: -6\r\n', 'poison', 'bad_content_length'),
  ok('Content-Length with a plus', 'Content-Length: +6\r\n', 'poison', 'bad_content_length'),
  ok('empty Content-Length', 'Content-Length: \r\n', 'poison', 'bad_content_length'),
  ok('Content-Length of 2^53', 'Content-Length: 9007199254740992\r\n', 'poison', 'bad_content_length'),
  ok('Content-Length with a leading zero', 'Content-Length: 06\r\n', 'poison', 'bad_content_length'),
  ok('Content_Length', 'Content_Length: 6\r\n', 'poison', 'underscored_framing'),
  ok('Transfer_Encoding', 'Transfer_Encoding: chunked\r\n', '0\r\n\r\n', 'underscored_framing'),
  ok('Transfer-Encoding and a tab behind it', 'Transfer-Encoding: chunked\t\r\n', '0\r\n\r\n', 'tab_behind_length'),
  ok('Transfer-Encoding: gzip', 'Transfer-Encoding: gzip\r\n', 'x', 'bad_transfer_encoding'),
  ok('Transfer-Encoding: identity', 'Transfer-Encoding: identity\r\n', 'x', 'bad_transfer_encoding'),
  ok('Transfer-Encoding: gzip, chunked', 'Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n', 'bad_transfer_encoding'),
  ok('two Transfer-Encodings', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n', 'bad_transfer_encoding'),
  answer('Transfer-Encoding in HTTP/1.0', GET, 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', [], 'te_in_http10'),
  answer('204 with a body', GET, 'HTTP/1.1 204 No Content\r\nContent-Length: 6\r\n\r\npoison', [], 'body_not_allowed'),
  answer('204 with chunks', GET, 'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', [], 'body_not_allowed'),
  answer('103 with a body', GET, `HTTP/1.1 103 Early Hints\r\nContent-Length: 6\r\n\r\npoison${POISON}`, [], 'body_not_allowed'),
  answer('200 to CONNECT with a body', CONNECT, POISON, [], 'body_not_allowed'),
];

const CHUNKS: readonly H1ResponseCase[] = [
  chunked('size with a sign', '+6\r\npoison\r\n0\r\n\r\n', 'bad_chunk_size'),
  chunked('size with a space', '6 \r\npoison\r\n0\r\n\r\n', 'bad_chunk_size'),
  chunked('size that overflows', 'fffffffffffffffff\r\npoison', 'bad_chunk_size'),
  chunked('size of 17 digits', '00000000000000006\r\npoison\r\n0\r\n\r\n', 'bad_chunk_size'),
  chunked('chunk line that is too long', `6;a=${'b'.repeat(2000)}\r\npoison\r\n0\r\n\r\n`, 'chunk_line_too_long'),
  chunked('extensions that are too long', `${`1;a=${'b'.repeat(900)}\r\nx\r\n`.repeat(20)}0\r\n\r\n`, 'chunk_extensions_too_long'),
  chunked('trailers that are too long', `0\r\n${`X: ${'y'.repeat(1000)}\r\n`.repeat(20)}\r\n`, 'trailers_too_long'),
  chunked('bare LF after the size', '6\npoison\r\n0\r\n\r\n', 'bare_lf'),
  chunked('bare LF after the data', '6\r\npoison\n0\r\n\r\n', 'bare_lf'),
  chunked('data longer than its size', '5\r\npoison\r\n0\r\n\r\n', 'bad_chunk_end'),
  chunked('broken extension', '6;=\r\npoison\r\n0\r\n\r\n', 'bad_chunk_extension'),
  chunked('Content-Length for a trailer', '0\r\nContent-Length: 6\r\n\r\n', 'framing_in_trailers'),
  chunked('Host for a trailer', '0\r\nhost: x\r\n\r\n', 'framing_in_trailers'),
  chunked('a response for a trailer', `0\r\n${POISON}`, 'bad_field_name'),
  chunked('closed within a chunk', 'a\r\npoison', 'truncated'),
  chunked('closed before the last chunk', '6\r\npoison\r\n', 'truncated'),
];

const SEQUENCE: readonly H1ResponseCase[] = [
  ok('bytes after Content-Length: 0', 'Content-Length: 0\r\n', POISON, 'unexpected_bytes', [OK]),
  ok('bytes after the announced length', 'Content-Length: 6\r\n', `poison${POISON}`, 'unexpected_bytes', [{ ...OK, body: 'poison' }]),
  ok('bytes after the last chunk', 'Transfer-Encoding: chunked\r\n', `0\r\n\r\n${POISON}`, 'unexpected_bytes', [OK]),
  ok('a line end after the response', 'Content-Length: 0\r\n', '\r\n', 'unexpected_bytes', [OK]),
  ok('closed within the body', 'Content-Length: 60\r\n', 'poison', 'truncated'),
  answer('a body with HEAD', HEAD, POISON, [OK], 'unexpected_bytes'),
  answer(
    'a body with 304',
    GET,
    'HTTP/1.1 304 Not Modified\r\nContent-Length: 6\r\n\r\npoison',
    [{ start: '304 Not Modified' }],
    'unexpected_bytes',
  ),
  answer('bytes after 204', GET, `HTTP/1.1 204 No Content\r\n\r\n${POISON}`, [{ start: '204 No Content' }], 'unexpected_bytes'),
  answer('101 that nobody asked for', GET, `${SWITCH}\r\n${POISON}`, [], 'unexpected_upgrade'),
  answer('101 without Upgrade', UPGRADE, 'HTTP/1.1 101 Switching Protocols\r\n\r\n', [], 'unexpected_upgrade'),
  answer('101 in HTTP/1.0', UPGRADE, `${SWITCH.replace('1.1', '1.0')}\r\n`, [], 'unexpected_upgrade'),
  answer('101 with a body', UPGRADE, `${SWITCH}Content-Length: 6\r\n\r\npoison`, [], 'body_not_allowed'),
  answer('103 that closes', GET, `HTTP/1.1 103 Early Hints\r\nConnection: close\r\n\r\n${POISON}`, [], 'informational_closes'),
  answer('100 in HTTP/1.0', GET, `HTTP/1.0 100 Continue\r\n\r\n${POISON}`, [], 'informational_in_http10'),
  answer('only 100', GET, 'HTTP/1.1 100 Continue\r\n\r\n', [{ start: '100 Continue' }], 'truncated'),
  answer(
    'no end of 103',
    GET,
    'HTTP/1.1 103 E\r\n\r\n'.repeat(101),
    Array<ExpectedReading>(100).fill({ start: '103 E' }),
    'too_many_informational',
  ),
  answer('nothing at all', GET, '', [], 'truncated'),
  answer('half a head', GET, 'HTTP/1.1 200 OK\r\nContent-Le', [], 'truncated'),
];

const ACCEPTED: readonly H1ResponseCase[] = [
  ok('accepted: Content-Length', 'Content-Length: 5\r\n', 'hello', 'clean', [{ ...OK, body: 'hello' }]),
  ok('accepted: until the connection closes', 'X: y\r\n', 'hello', 'clean', [{ ...OK, body: 'hello' }]),
  ok('accepted: empty until the connection closes', 'X: y\r\n', '', 'clean', [OK]),
  ok('accepted: chunked', 'Transfer-Encoding: chunked\r\n', '5;a=b\r\nhello\r\n0\r\nX-Sum: 1\r\nX-Sum: 2\r\n\r\n', 'clean', [
    { ...OK, body: 'hello', trailers: ['X-Sum', '1', 'X-Sum', '2'] },
  ]),
  answer('accepted: without reason', GET, 'HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n', [{ start: '200 ' }]),
  answer('accepted: reason with obs-text', GET, 'HTTP/1.1 200 \xe9t\xe9\r\nContent-Length: 0\r\n\r\n', [{ start: '200 \xe9t\xe9' }]),
  answer('accepted: status 999', GET, 'HTTP/1.1 999 Denied\r\nContent-Length: 0\r\n\r\n', [{ start: '999 Denied' }]),
  answer('accepted: HTTP/1.0', GET, 'HTTP/1.0 200 OK\r\n\r\nhello', [{ ...OK, body: 'hello' }]),
  answer('accepted: HEAD with Content-Length', HEAD, 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n', [OK]),
  answer('accepted: HEAD with Transfer-Encoding', HEAD, 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', [OK]),
  answer('accepted: 304 with Content-Length', GET, 'HTTP/1.1 304 Not Modified\r\nContent-Length: 6\r\n\r\n', [
    { start: '304 Not Modified' },
  ]),
  answer('accepted: 204 with Content-Length: 0', GET, 'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n', [
    { start: '204 No Content' },
  ]),
  answer('accepted: 100, 103, then 200', GET, `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${POISON}`, [
    { start: '100 Continue' },
    { start: '103 Early Hints' },
    { ...OK, body: 'poison' },
  ]),
  answer('accepted: 101', UPGRADE, `${SWITCH}\r\n\x81\x05hello`, [{ start: '101 Switching Protocols' }], 'handed_over'),
  answer(
    'accepted: 200 to CONNECT',
    CONNECT,
    'HTTP/1.1 200 Connection Established\r\n\r\n\x16\x03',
    [{ start: '200 Connection Established' }],
    'handed_over',
  ),
  answer('accepted: 403 to CONNECT', CONNECT, 'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno', [
    { start: '403 Forbidden', body: 'no' },
  ]),
];

/** Responses, most of them made to desynchronise whoever reads them. */
export const H1_RESPONSES: readonly H1ResponseCase[] = [...LINES, ...FIELDS, ...LENGTHS, ...CHUNKS, ...SEQUENCE, ...ACCEPTED];
