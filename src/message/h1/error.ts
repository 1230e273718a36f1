/** What kind of refusal a reason is: the sockets answer by kind, tests and logs name the reason. */
export type H1ErrorKind = 'malformed' | 'head_too_large' | 'method_not_supported' | 'truncated';

interface ReasonSpec {
  readonly kind: H1ErrorKind;
  /** Safe to show: quotes nothing of the message. */
  readonly text: string;
}

const malformed = (text: string): ReasonSpec => ({ kind: 'malformed', text });
const tooLarge = (text: string): ReasonSpec => ({ kind: 'head_too_large', text });

/** Every reason for which the codec refuses a message. */
export const H1_REASONS = {
  bare_lf: malformed('a line ends in LF without CR'),
  bare_cr: malformed('a CR stands without LF'),
  bad_request_line: malformed('the request line is not: method, space, target, space, version'),
  bad_target: malformed('the request target has none of the four forms, or holds a character that is not visible ASCII'),
  bad_version: malformed('the HTTP version must be 1.0 or 1.1'),
  bad_status_line: malformed('the status line is not: version, space, three digits, space, reason'),
  trace_method: { kind: 'method_not_supported', text: 'TRACE and TRACK are not supported' },
  obs_fold: malformed('a header field is folded over several lines'),
  bad_field_name: malformed('a header field name is not a token'),
  space_before_colon: malformed('there is a space between a header field name and its colon'),
  bad_field_value: malformed('a header field value holds a control character'),
  missing_host: malformed('an HTTP/1.1 request needs a Host field'),
  two_hosts: malformed('there must be one Host field at most'),
  empty_host: malformed('the Host field is empty'),
  bad_content_length: malformed('Content-Length must be one decimal number without leading zeros'),
  repeated_content_length: malformed('there must be one Content-Length at most'),
  bad_transfer_encoding: malformed('Transfer-Encoding must be exactly: chunked'),
  te_in_http10: malformed('HTTP/1.0 has no Transfer-Encoding'),
  cl_with_te: malformed('Content-Length and Transfer-Encoding must not stand together'),
  underscored_framing: malformed('a framing field is spelled with an underscore'),
  bad_connection: malformed('Connection must be a list of tokens'),
  connection_names_framing: malformed('Connection must not name Host, Content-Length or Transfer-Encoding'),
  bad_expectation: malformed('the only expectation is: 100-continue'),
  connect_with_body: malformed('a CONNECT request has no body'),
  body_not_allowed: malformed('a response of this status has no body'),
  unexpected_upgrade: malformed('the response switches to a protocol that was not asked for'),
  informational_in_http10: malformed('HTTP/1.0 has no informational responses'),
  informational_closes: malformed('an informational response cannot close the connection'),
  tab_behind_length: malformed('there is a tab behind the length of the body'),
  too_many_informational: malformed('there are too many informational responses'),
  unexpected_bytes: malformed('there are bytes after the end of the response'),
  bad_chunk_size: malformed('a chunk size is not one hexadecimal number'),
  bad_chunk_extension: malformed('a chunk extension is malformed'),
  bad_chunk_end: malformed('a chunk does not end where its size says'),
  chunk_line_too_long: malformed('a chunk line is too long'),
  chunk_extensions_too_long: malformed('the chunk extensions of one body are too long'),
  framing_in_trailers: malformed('a trailer field would change the framing or the routing'),
  trailers_too_long: malformed('the trailer section is too long'),
  head_too_long: tooLarge('the head is too long'),
  line_too_long: tooLarge('a line of the head is too long'),
  too_many_fields: tooLarge('there are too many header fields'),
  truncated: { kind: 'truncated', text: 'the connection was closed within a message' },
} as const satisfies Readonly<Record<string, ReasonSpec>>;

/** Stable short code of one refusal. */
export type H1Reason = keyof typeof H1_REASONS;

/** A message was refused. The parser that threw it is dead, and so is its connection. */
export class H1Error extends Error {
  readonly reason: H1Reason;

  constructor(reason: H1Reason) {
    super(H1_REASONS[reason].text);
    this.name = 'H1Error';
    this.reason = reason;
  }

  get kind(): H1ErrorKind {
    return H1_REASONS[this.reason].kind;
  }
}
