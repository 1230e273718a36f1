import type { Ending } from '../support/h1-reading.ts';
import type { ExpectedReading, H1Case } from './h1-case.ts';

const HOST = 'Host: api.example.com\r\n';
/** What an attacker would like a lenient reader to find. */
const HIDDEN = 'GET /hidden HTTP/1.1\r\nHost: api.example.com\r\n\r\n';
const HIDDEN_READING: ExpectedReading = { start: 'GET /hidden' };

/** A GET with these header lines, followed by a hidden request. */
function get(name: string, lines: string, ends: Ending): H1Case {
  return { name, bytes: `GET / HTTP/1.1\r\n${lines}\r\n${HIDDEN}`, reads: [], ends };
}

/** A POST with Host, these header lines and this body. */
function post(name: string, lines: string, body: string, ends: Ending, reads: readonly ExpectedReading[] = []): H1Case {
  return { name, bytes: `POST / HTTP/1.1\r\n${HOST}${lines}\r\n${body}`, reads, ends };
}

/** A chunked POST whose body is refused. */
function chunked(name: string, body: string, ends: Ending): H1Case {
  return post(`chunked: ${name}`, 'Transfer-Encoding: chunked\r\n', body, ends);
}

function line(name: string, text: string, ends: Ending): H1Case {
  return { name: `request line: ${name}`, bytes: `${text}${HOST}\r\n${HIDDEN}`, reads: [], ends };
}

function accepted(name: string, bytes: string, reads: readonly ExpectedReading[], ends: Ending = 'clean'): H1Case {
  return { name: `accepted: ${name}`, bytes, reads, ends };
}

const HEADS: readonly H1Case[] = [
  get('no Host', 'Accept: */*\r\n', 'missing_host'),
  get('two equal Hosts', HOST + HOST, 'two_hosts'),
  get('two different Hosts', `${HOST}Host: internal.example\r\n`, 'two_hosts'),
  get('two Hosts in different case', `${HOST}hOST: internal.example\r\n`, 'two_hosts'),
  get('empty Host', 'Host:\r\n', 'empty_host'),
  get('Host of spaces', 'Host: \t \r\n', 'empty_host'),
  get('space before the colon of Host', 'Host : api.example.com\r\n', 'space_before_colon'),
  get('tab before the colon', `${HOST}X\t: y\r\n`, 'space_before_colon'),
  get('space before the colon of Content-Length', `${HOST}Content-Length : 48\r\n`, 'space_before_colon'),
  get('space before the colon of Transfer-Encoding', `${HOST}Transfer-Encoding : chunked\r\n`, 'space_before_colon'),
  get('folded value with a space', `${HOST}X: a\r\n b\r\n`, 'obs_fold'),
  get('folded value with a tab', `${HOST}X: a\r\n\tb\r\n`, 'obs_fold'),
  get('folded Transfer-Encoding', `${HOST}Transfer-Encoding:\r\n chunked\r\n`, 'bad_transfer_encoding'),
  get('folded first line', ` ${HOST}`, 'obs_fold'),
  get('line of a space only', `${HOST} \r\n`, 'obs_fold'),
  get('empty name', `${HOST}: y\r\n`, 'bad_field_name'),
  get('line without a colon', `${HOST}Content-Length\r\n`, 'bad_field_name'),
  get('name with a slash', `${HOST}X/Y: z\r\n`, 'bad_field_name'),
  get('name with parentheses', `${HOST}X(Y): z\r\n`, 'bad_field_name'),
  get('name in quotes', `${HOST}"X": z\r\n`, 'bad_field_name'),
  get('name with NUL', `${HOST}X\0Y: z\r\n`, 'bad_field_name'),
  get('name with a vertical tab', `${HOST}Content-Length\x0b: 48\r\n`, 'bad_field_name'),
  get('name with a form feed in front', `${HOST}\x0cContent-Length: 48\r\n`, 'bad_field_name'),
  get('name with obs-text', `${HOST}Transfer-Encoding\xa0: chunked\r\n`, 'bad_field_name'),
  get('name with DEL', `${HOST}X\x7f: z\r\n`, 'bad_field_name'),
  get('value with NUL', `${HOST}X: a\0b\r\n`, 'bad_field_value'),
  get('value with a control character', `${HOST}X: a\x01b\r\n`, 'bad_field_value'),
  get('value with DEL', `${HOST}X: a\x7fb\r\n`, 'bad_field_value'),
  get('value with a vertical tab before chunked', `${HOST}Transfer-Encoding: \x0bchunked\r\n`, 'bad_field_value'),
  get('bare LF after the Host line', 'Host: api.example.com\n', 'bare_lf'),
  get('bare LF within a value', `${HOST}X: a\nContent-Length: 48\r\n`, 'bare_lf'),
  get('bare LF as the empty line', `${HOST}\n`, 'bare_lf'),
  get('bare CR within a value', `${HOST}X: a\rContent-Length: 48\r\n`, 'bare_cr'),
  get('bare CR within a name', `${HOST}X\rY: z\r\n`, 'bare_cr'),
  get('bare CR at the start of a line', `${HOST}\rX: z\r\n`, 'bare_cr'),
  get('two CRs before LF', `${HOST}X: a\r\r\n`, 'bare_cr'),
  get('LF before CR', `${HOST}X: a\n\r`, 'bare_lf'),
  get('Connection names Content-Length', `${HOST}Connection: close, Content-Length\r\n`, 'connection_names_framing'),
  get('Connection names Transfer-Encoding', `${HOST}Connection: transfer-encoding\r\n`, 'connection_names_framing'),
  get('Connection names Host', `${HOST}Connection: hOST\r\n`, 'connection_names_framing'),
  get('Connection names a framing field with underscores', `${HOST}Connection: content_length\r\n`, 'connection_names_framing'),
  get('Connection holds what is no token', `${HOST}Connection: close; x\r\n`, 'bad_connection'),
  get('unknown expectation', `${HOST}Expect: 200-ok\r\n`, 'bad_expectation'),
  {
    name: 'unknown expectation in HTTP/1.0, which would leave in HTTP/1.1',
    bytes: `GET / HTTP/1.0\r\nExpect:!100-continue\r\n\r\n${HIDDEN}`,
    reads: [],
    ends: 'bad_expectation',
  },
  get('doubled expectation', `${HOST}Expect: 100-continue\r\nExpect: 100-continue\r\n`, 'bad_expectation'),
  { name: 'too many fields', bytes: `GET / HTTP/1.1\r\n${HOST}${'X: y\r\n'.repeat(256)}\r\n`, reads: [], ends: 'too_many_fields' },
  { name: 'a line that is too long', bytes: `GET / HTTP/1.1\r\n${HOST}X: ${'y'.repeat(40_000)}\r\n\r\n`, reads: [], ends: 'line_too_long' },
  { name: 'a target that is too long', bytes: `GET /${'y'.repeat(40_000)} HTTP/1.1\r\n${HOST}\r\n`, reads: [], ends: 'line_too_long' },
  {
    name: 'a head that is too long',
    bytes: `GET / HTTP/1.1\r\n${HOST}${`X: ${'y'.repeat(1000)}\r\n`.repeat(70)}\r\n`,
    reads: [],
    ends: 'head_too_long',
  },
  { name: 'a head without end', bytes: `GET / HTTP/1.1\r\n${HOST}X: y`, reads: [], ends: 'truncated' },
  { name: 'a head that ends in CR', bytes: `GET / HTTP/1.1\r\n${HOST}\r`, reads: [], ends: 'truncated' },
];

const LINES: readonly H1Case[] = [
  line('without version', 'GET /\r\n', 'bad_request_line'),
  line('without version, with a space', 'GET / \r\n', 'bad_request_line'),
  line('method only', 'GET\r\n', 'bad_request_line'),
  line('two spaces before the target', 'GET  / HTTP/1.1\r\n', 'bad_request_line'),
  line('two spaces before the version', 'GET /  HTTP/1.1\r\n', 'bad_request_line'),
  line('space after the version', 'GET / HTTP/1.1 \r\n', 'bad_version'),
  line('tab for a space', 'GET\t/ HTTP/1.1\r\n', 'bad_request_line'),
  line('tab within the target', 'GET /a\tb HTTP/1.1\r\n', 'bad_target'),
  line('space in front', ' GET / HTTP/1.1\r\n', 'bad_request_line'),
  line('space within the target', 'GET /a b HTTP/1.1\r\n', 'bad_request_line'),
  line('a whole request within the target', 'GET / HTTP/1.1 x HTTP/1.1\r\n', 'bad_version'),
  line('HTTP/2.0', 'GET / HTTP/2.0\r\n', 'bad_version'),
  line('the preface of HTTP/2', 'PRI * HTTP/2.0\r\n', 'bad_version'),
  line('HTTP/0.9', 'GET / HTTP/0.9\r\n', 'bad_version'),
  line('HTTP/1.2', 'GET / HTTP/1.2\r\n', 'bad_version'),
  line('HTTP/1.10', 'GET / HTTP/1.10\r\n', 'bad_version'),
  line('HTTP/01.1', 'GET / HTTP/01.1\r\n', 'bad_version'),
  line('HTTP/1', 'GET / HTTP/1\r\n', 'bad_version'),
  line('lower-case version', 'GET / http/1.1\r\n', 'bad_version'),
  line('another protocol', 'GET / RTSP/1.0\r\n', 'bad_request_line'),
  line('method that is no token', 'G(ET / HTTP/1.1\r\n', 'bad_request_line'),
  line('method with obs-text', 'G\xc9T / HTTP/1.1\r\n', 'bad_request_line'),
  line('method with NUL', 'GET\0 / HTTP/1.1\r\n', 'bad_request_line'),
  line('non-ASCII in the target', 'GET /\xe9 HTTP/1.1\r\n', 'bad_target'),
  line('NUL in the target', 'GET /\0 HTTP/1.1\r\n', 'bad_target'),
  line('DEL in the target', 'GET /\x7f HTTP/1.1\r\n', 'bad_target'),
  line('fragment in the target', 'GET /#x HTTP/1.1\r\n', 'bad_target'),
  line('target without slash', 'GET x HTTP/1.1\r\n', 'bad_target'),
  line('target is a query', 'GET ?x HTTP/1.1\r\n', 'bad_target'),
  line('asterisk for GET', 'GET * HTTP/1.1\r\n', 'bad_target'),
  line('absolute-form without authority', 'GET http:///x HTTP/1.1\r\n', 'bad_target'),
  line('absolute-form without slashes', 'GET http:api.example.com HTTP/1.1\r\n', 'bad_target'),
  line('absolute-form of another scheme', 'GET ftp://api.example.com/ HTTP/1.1\r\n', 'bad_target'),
  line('absolute-form with userinfo', 'GET http://a@api.example.com/ HTTP/1.1\r\n', 'bad_target'),
  line('absolute-form with an encoded host', 'GET http://api%2eexample.com/ HTTP/1.1\r\n', 'bad_target'),
  line('CONNECT to a path', 'CONNECT /x HTTP/1.1\r\n', 'bad_target'),
  line('CONNECT without port', 'CONNECT api.example.com HTTP/1.1\r\n', 'bad_target'),
  line('CONNECT with userinfo', 'CONNECT a@api.example.com:443 HTTP/1.1\r\n', 'bad_target'),
  line('bare LF at its end', 'GET / HTTP/1.1\n', 'bare_lf'),
  line('bare CR at its end', 'GET / HTTP/1.1\r', 'bare_cr'),
  line('LF within the target', 'GET /a\nb HTTP/1.1\r\n', 'bare_lf'),
  line('two empty lines in front', '\r\n\r\nGET / HTTP/1.1\r\n', 'bad_request_line'),
  line('empty line of LF in front', '\nGET / HTTP/1.1\r\n', 'bare_lf'),
  line('CR in front', '\rGET / HTTP/1.1\r\n', 'bare_cr'),
  line('a TLS hello', '\x16\x03\x01\x02\0', 'bad_request_line'),
  line('TRACE', 'TRACE / HTTP/1.1\r\n', 'trace_method'),
  line('TRACK in lower case', 'track / HTTP/1.1\r\n', 'trace_method'),
];

const LENGTHS: readonly H1Case[] = [
  post('Content-Length and Transfer-Encoding', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n', 'cl_with_te'),
  post('Transfer-Encoding and Content-Length', 'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', '0\r\n\r\n', 'cl_with_te'),
  post('Transfer-Encoding with Content-Length: 0', 'Content-Length: 0\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n', 'cl_with_te'),
  post('two different Content-Lengths', 'Content-Length: 0\r\nContent-Length: 48\r\n', HIDDEN, 'repeated_content_length'),
  post('two equal Content-Lengths', 'Content-Length: 0\r\ncontent-length: 0\r\n', HIDDEN, 'repeated_content_length'),
  post('list of equal Content-Lengths', 'Content-Length: 0, 0\r\n', HIDDEN, 'bad_content_length'),
  post('Content-Length with a plus', 'Content-Length: +48\r\n', HIDDEN, 'bad_content_length'),
  post('negative Content-Length', 'Content-Length: -1\r\n', HIDDEN, 'bad_content_length'),
  post('Content-Length with a space inside', 'Content-Length: 4 8\r\n', HIDDEN, 'bad_content_length'),
  post('hexadecimal Content-Length', 'Content-Length: 0x30\r\n', HIDDEN, 'bad_content_length'),
  post('Content-Length with an exponent', 'Content-Length: 4e1\r\n', HIDDEN, 'bad_content_length'),
  post('Content-Length with a decimal point', 'Content-Length: 48.0\r\n', HIDDEN, 'bad_content_length'),
  post('Content-Length with an underscore', 'Content-Length: 4_8\r\n', HIDDEN, 'bad_content_length'),
  post('empty Content-Length', 'Content-Length:\r\n', HIDDEN, 'bad_content_length'),
  post('Content-Length of 2^53', 'Content-Length: 9007199254740992\r\n', HIDDEN, 'bad_content_length'),
  post('Content-Length of 2^64', 'Content-Length: 18446744073709551616\r\n', HIDDEN, 'bad_content_length'),
  post('Content-Length with leading zeros', `Content-Length: 0${String(HIDDEN.length)}\r\n`, HIDDEN, 'bad_content_length'),
  post('Content-Length in quotes', 'Content-Length: "48"\r\n', HIDDEN, 'bad_content_length'),
  post('Content-Length with other digits', 'Content-Length: \xb2\r\n', HIDDEN, 'bad_content_length'),
  post('Content_Length', 'Content_Length: 48\r\n', HIDDEN, 'underscored_framing'),
  post('Transfer_Encoding', 'Transfer_Encoding: chunked\r\n', HIDDEN, 'underscored_framing'),
  post('Transfer-Encoding and a tab behind it', 'Transfer-Encoding: chunked\t\r\n', '0\r\n\r\n', 'tab_behind_length'),
  post('Content-Length and a tab behind it', 'Content-Length: 3\t \r\n', 'abc', 'tab_behind_length'),
  post('Transfer-Encoding: identity', 'Transfer-Encoding: identity\r\n', HIDDEN, 'bad_transfer_encoding'),
  post('Transfer-Encoding: gzip, chunked', 'Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n', 'bad_transfer_encoding'),
  post('Transfer-Encoding: chunked, identity', 'Transfer-Encoding: chunked, identity\r\n', '0\r\n\r\n', 'bad_transfer_encoding'),
  post('Transfer-Encoding: chunked, chunked', 'Transfer-Encoding: chunked, chunked\r\n', '0\r\n\r\n', 'bad_transfer_encoding'),
  post('two Transfer-Encodings', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n', 'bad_transfer_encoding'),
  post('Transfer-Encoding: xchunked', 'Transfer-Encoding: xchunked\r\n', '0\r\n\r\n', 'bad_transfer_encoding'),
  post('Transfer-Encoding: "chunked"', 'Transfer-Encoding: "chunked"\r\n', '0\r\n\r\n', 'bad_transfer_encoding'),
  post('Transfer-Encoding: chunked;q=1', 'Transfer-Encoding: chunked;q=1\r\n', '0\r\n\r\n', 'bad_transfer_encoding'),
  post('Transfer-Encoding: ,chunked', 'Transfer-Encoding: ,chunked\r\n', '0\r\n\r\n', 'bad_transfer_encoding'),
  post('empty Transfer-Encoding', 'Transfer-Encoding:\r\n', '0\r\n\r\n', 'bad_transfer_encoding'),
  post('body that is too short', 'Content-Length: 100\r\n', HIDDEN, 'truncated'),
  {
    name: 'Transfer-Encoding in HTTP/1.0',
    bytes: `POST / HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
    reads: [],
    ends: 'te_in_http10',
  },
  {
    name: 'CONNECT with Content-Length',
    bytes: `CONNECT api.example.com:443 HTTP/1.1\r\n${HOST}Content-Length: 48\r\n\r\n${HIDDEN}`,
    reads: [],
    ends: 'connect_with_body',
  },
  {
    name: 'CONNECT with Transfer-Encoding',
    bytes: `CONNECT api.example.com:443 HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    reads: [],
    ends: 'connect_with_body',
  },
];

const CHUNKS: readonly H1Case[] = [
  chunked('size with a plus', '+5\r\nhello\r\n0\r\n\r\n', 'bad_chunk_size'),
  chunked('size with a minus', '-5\r\nhello\r\n0\r\n\r\n', 'bad_chunk_size'),
  chunked('size with 0x', '0x5\r\nhello\r\n0\r\n\r\n', 'bad_chunk_size'),
  chunked('space before the size', ' 5\r\nhello\r\n0\r\n\r\n', 'bad_chunk_size'),
  chunked('space after the size', '5 \r\nhello\r\n0\r\n\r\n', 'bad_chunk_size'),
  chunked('tab after the size', '5\t\r\nhello\r\n0\r\n\r\n', 'bad_chunk_size'),
  chunked('empty size', '\r\nhello\r\n0\r\n\r\n', 'bad_chunk_size'),
  chunked('size that is no number', 'x\r\nhello\r\n0\r\n\r\n', 'bad_chunk_size'),
  chunked('size with an underscore', '1_0\r\nhello\r\n0\r\n\r\n', 'bad_chunk_size'),
  chunked('size of 2^53', '20000000000000\r\nhello\r\n0\r\n\r\n', 'bad_chunk_size'),
  chunked('size of 2^64', '10000000000000005\r\nhello\r\n0\r\n\r\n', 'bad_chunk_size'),
  chunked('size of 17 digits', '00000000000000005\r\nhello\r\n0\r\n\r\n', 'bad_chunk_size'),
  chunked('bare LF after the size', '5\nhello\r\n0\r\n\r\n', 'bare_lf'),
  chunked('bare CR after the size', '5\rhello\r\n0\r\n\r\n', 'bare_cr'),
  chunked('two CRs after the size', '5\r\r\nhello\r\n0\r\n\r\n', 'bare_cr'),
  chunked('bare LF after the data', '5\r\nhello\n0\r\n\r\n', 'bare_lf'),
  chunked('bare CR after the data', '5\r\nhello\r0\r\n\r\n', 'bare_cr'),
  chunked('data longer than its size', '4\r\nhello\r\n0\r\n\r\n', 'bad_chunk_end'),
  chunked('data shorter than its size', '7\r\nhello\r\n0\r\n\r\n', 'bad_chunk_end'),
  chunked('bare LF after the last chunk', '5\r\nhello\r\n0\n\r\n', 'bare_lf'),
  chunked('bare LF as the empty line', '5\r\nhello\r\n0\r\n\n', 'bare_lf'),
  chunked('LF in an extension', `5;a\nb\r\nhello\r\n0\r\n\r\n`, 'bare_lf'),
  chunked('CR in an extension', `5;a\rb\r\nhello\r\n0\r\n\r\n`, 'bare_cr'),
  chunked('NUL in an extension', '5;a\0b\r\nhello\r\n0\r\n\r\n', 'bad_chunk_extension'),
  chunked('extension without name', '5;\r\nhello\r\n0\r\n\r\n', 'bad_chunk_extension'),
  chunked('extension with a value only', '5;=b\r\nhello\r\n0\r\n\r\n', 'bad_chunk_extension'),
  chunked('extension with white space', '5; a=b\r\nhello\r\n0\r\n\r\n', 'bad_chunk_extension'),
  chunked('extension with an open quote', '5;a="b\r\nhello\r\n0\r\n\r\n', 'bad_chunk_extension'),
  chunked('extension with a quoted line end', '5;a="\r\n0\r\n\r\n"\r\nhello\r\n0\r\n\r\n', 'bad_chunk_extension'),
  chunked('chunk line that is too long', `5;a=${'b'.repeat(2000)}\r\nhello\r\n0\r\n\r\n`, 'chunk_line_too_long'),
  chunked('extensions that are too long', `${`1;a=${'b'.repeat(900)}\r\nx\r\n`.repeat(20)}0\r\n\r\n`, 'chunk_extensions_too_long'),
  chunked('without last chunk', '5\r\nhello\r\n', 'truncated'),
  chunked('without empty line', '5\r\nhello\r\n0\r\n', 'truncated'),
  chunked('a request for a trailer', `5\r\nhello\r\n0\r\n${HIDDEN}`, 'space_before_colon'),
  chunked('Content-Length for a trailer', `0\r\nContent-Length: 48\r\n\r\n${HIDDEN}`, 'framing_in_trailers'),
  chunked('Transfer_Encoding for a trailer', `0\r\nTransfer_Encoding: chunked\r\n\r\n${HIDDEN}`, 'framing_in_trailers'),
  chunked('Host for a trailer', `0\r\nHost: internal.example\r\n\r\n${HIDDEN}`, 'framing_in_trailers'),
  chunked('folded trailer', `0\r\nX: a\r\n b\r\n\r\n`, 'obs_fold'),
  chunked('bare LF in a trailer', `0\r\nX: a\nY: b\r\n\r\n`, 'bare_lf'),
  chunked('trailers that are too long', `0\r\n${`X: ${'y'.repeat(1000)}\r\n`.repeat(20)}\r\n`, 'trailers_too_long'),
];

const ROOT: ExpectedReading = { start: 'POST /' };

const ACCEPTED: readonly H1Case[] = [
  accepted('a request', HIDDEN, [HIDDEN_READING]),
  accepted('pipelined requests', HIDDEN + HIDDEN, [HIDDEN_READING, HIDDEN_READING]),
  accepted('one empty line in front', `\r\n${HIDDEN}`, [HIDDEN_READING]),
  accepted('one empty line between', `${HIDDEN}\r\n${HIDDEN}`, [HIDDEN_READING, HIDDEN_READING]),
  accepted('nothing at all', '', []),
  accepted('white space around a value', `GET / HTTP/1.1\r\nHost:\t api.example.com \t\r\n\r\n`, [{ start: 'GET /' }]),
  accepted('obs-text in a value', `GET / HTTP/1.1\r\n${HOST}X: caf\xe9\r\n\r\n`, [{ start: 'GET /' }]),
  accepted('empty value', `GET / HTTP/1.1\r\n${HOST}X:\r\n\r\n`, [{ start: 'GET /' }]),
  accepted('a value with colons', `GET / HTTP/1.1\r\n${HOST}X: :a: b:\r\n\r\n`, [{ start: 'GET /' }]),
  accepted('Content-Length', `POST / HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello${HIDDEN}`, [
    { ...ROOT, body: 'hello' },
    HIDDEN_READING,
  ]),
  accepted('Content-Length: 0', `POST / HTTP/1.1\r\n${HOST}Content-Length: 0\r\n\r\n${HIDDEN}`, [ROOT, HIDDEN_READING]),
  accepted(
    'chunked with extensions and trailers',
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: ChunkeD\r\n\r\n5;a;b=c;d="e\\"f"\r\nhello\r\n00A\r\n0123456789\r\n0;z\r\nX-Sum: 1\r\n\r\n${HIDDEN}`,
    [{ ...ROOT, body: 'hello0123456789', trailers: ['X-Sum', '1'] }, HIDDEN_READING],
  ),
  accepted('a body that looks like a request', `POST / HTTP/1.1\r\n${HOST}Content-Length: ${String(HIDDEN.length)}\r\n\r\n${HIDDEN}`, [
    { ...ROOT, body: HIDDEN },
  ]),
  accepted('absolute-form', `GET http://api.example.com/x HTTP/1.1\r\n${HOST}\r\n`, [{ start: 'GET http://api.example.com/x' }]),
  accepted('OPTIONS *', `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`, [{ start: 'OPTIONS *' }]),
  accepted(
    'CONNECT',
    `CONNECT api.example.com:443 HTTP/1.1\r\n${HOST}\r\n\x16\x03\x01`,
    [{ start: 'CONNECT api.example.com:443' }],
    'handed_over',
  ),
  accepted('HTTP/1.0', `GET / HTTP/1.0\r\n\r\n${HIDDEN}`, [{ start: 'GET /' }], 'not_persistent'),
  accepted(
    'HTTP/1.0 that would like to persist',
    `GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n${HIDDEN}`,
    [{ start: 'GET /' }],
    'not_persistent',
  ),
  accepted('Connection: close', `GET / HTTP/1.1\r\n${HOST}Connection: x, CLOSE\r\n\r\n${HIDDEN}`, [{ start: 'GET /' }], 'not_persistent'),
  {
    ...accepted('Host that differs from the target', `GET http://api.example.com/ HTTP/1.1\r\nHost: internal.example\r\n\r\n`, [
      { start: 'GET http://api.example.com/' },
    ]),
    proxy: 'refuses',
  },
  { ...accepted('Host with userinfo', 'GET / HTTP/1.1\r\nHost: a@api.example.com\r\n\r\n', [{ start: 'GET /' }]), proxy: 'refuses' },
  {
    ...accepted('Host of two hosts', 'GET / HTTP/1.1\r\nHost: api.example.com, internal.example\r\n\r\n', [{ start: 'GET /' }]),
    proxy: 'refuses',
  },
  { ...accepted('Host with a path', 'GET / HTTP/1.1\r\nHost: api.example.com/x\r\n\r\n', [{ start: 'GET /' }]), proxy: 'refuses' },
  { ...accepted('dot segments', `GET /a/../b HTTP/1.1\r\n${HOST}\r\n`, [{ start: 'GET /a/../b' }]), proxy: 'refuses' },
];

/** Requests, most of them made to be read in two ways. The hidden one must never be found where `reads` does not name it. */
export const H1_REQUESTS: readonly H1Case[] = [...HEADS, ...LINES, ...LENGTHS, ...CHUNKS, ...ACCEPTED];
