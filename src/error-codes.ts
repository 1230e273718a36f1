/** The one registry of codes: a code has one status or exit code, one safe text and one hint. `docs/errors.md` is checked against it. */

/** What the registry says of a code that a client can receive. */
export interface WireErrorSpec {
  /** HTTP status of the answer. */
  readonly status: number;
  /** Short, safe text for the client: never holds a value of the request or of a record. */
  readonly title: string;
  /** What the operator or developer should do. */
  readonly hint: string;
  /** Error type for `Proxy-Status` (RFC 9209 §2.3). */
  readonly proxyStatus: string;
}

const wire = <const T extends Record<string, WireErrorSpec>>(specs: T): T => specs;

/** Codes that travel on the wire in `X-Alter-Error` and in problem documents. */
export const WIRE_ERRORS = wire({
  malformed_request: {
    status: 400,
    title: 'The request is malformed or ambiguous',
    hint: 'Send one well-formed HTTP request: one Host, one body length, a canonical path, no dot segments.',
    proxyStatus: 'http_request_error',
  },
  header_too_large: {
    status: 431,
    title: 'The request head is too large',
    hint: 'Send fewer or shorter headers, or raise limits.max_header_bytes.',
    proxyStatus: 'http_request_error',
  },
  request_timeout: {
    status: 408,
    title: 'The request did not arrive in time',
    hint: 'Send the request without long pauses, or raise limits.head_timeout_ms (head) or limits.stall_timeout_ms (body).',
    proxyStatus: 'http_request_error',
  },
  invalid_grant_id: {
    status: 400,
    title: 'X-Alter-Grant must be exactly one UUID',
    hint: 'Send one X-Alter-Grant header with the id that `alter-proxy grant issue` printed.',
    proxyStatus: 'http_request_error',
  },
  placeholder_not_replaced: {
    status: 400,
    title: 'The request holds a grant placeholder where no credential is injected',
    hint: 'Put alter_grant_<uuid> only in the slot where the provider expects its credential.',
    proxyStatus: 'http_request_denied',
  },
  grant_request_invalid: {
    status: 400,
    title: 'The request for a grant is not understood',
    hint: 'Send a JSON object with "secret" and "label" and, if wanted, "ttl" or "expires_at".',
    proxyStatus: 'http_request_error',
  },
  invalid_key: {
    status: 401,
    title: 'The API key of the proxy is missing or not valid',
    hint: 'Put a valid key into the proxy URL, http://x:alter_key_…@host:port; `grant request` takes it from ALTER_KEY or --key-file, /v1/grants from Authorization.',
    proxyStatus: 'http_request_denied',
  },
  key_expired: {
    status: 401,
    title: 'The API key of the proxy has expired',
    hint: 'Create a new key and put it where this one came from: the proxy URL, ALTER_KEY, --key-file, or Authorization of /v1/grants.',
    proxyStatus: 'http_request_denied',
  },
  key_revoked: {
    status: 401,
    title: 'The API key of the proxy was revoked',
    hint: 'Create a new key and put it where this one came from: the proxy URL, ALTER_KEY, --key-file, or Authorization of /v1/grants.',
    proxyStatus: 'http_request_denied',
  },
  user_token_required: {
    status: 401,
    title: 'The grant needs a user token',
    hint: 'Send the JWT of the end user in X-Alter-User-Token.',
    proxyStatus: 'http_request_denied',
  },
  user_token_invalid: {
    status: 401,
    title: 'The user token is not valid',
    hint: 'Send a current JWT from the identity provider of the app in X-Alter-User-Token.',
    proxyStatus: 'http_request_denied',
  },
  policy_violation: {
    status: 403,
    title: 'A policy refuses this request',
    hint: 'The member "rule" names the rule that refused; ask the operator of the grant.',
    proxyStatus: 'http_request_denied',
  },
  host_not_allowed: {
    status: 403,
    title: 'The secret of this grant is not allowed for this destination',
    hint: 'Use the grant only against the hosts that `alter-proxy secret show` lists.',
    proxyStatus: 'http_request_denied',
  },
  principal_mismatch: {
    status: 403,
    title: 'The grant belongs to another principal',
    hint: 'Use the key, or the user token, of the principal for whom the grant was issued.',
    proxyStatus: 'http_request_denied',
  },
  agent_inactive: {
    status: 403,
    title: 'The agent is paused or revoked',
    hint: 'Ask the operator to resume the agent.',
    proxyStatus: 'http_request_denied',
  },
  agent_key_required: {
    status: 403,
    title: 'Only agents can ask for grants',
    hint: 'Call it with a key of an agent; other grants are issued with `alter-proxy grant issue`.',
    proxyStatus: 'http_request_denied',
  },
  grant_not_allowed: {
    status: 403,
    title: 'The agent may not have this grant',
    hint: 'An operator can allow a secret to an agent with `alter-proxy agent allow`.',
    proxyStatus: 'http_request_denied',
  },
  destination_blocked: {
    status: 403,
    title: 'The address of the destination is not allowed',
    hint: 'Private and loopback addresses need an entry in upstream.allow_private; metadata and link-local addresses are never dialled.',
    proxyStatus: 'destination_ip_prohibited',
  },
  grant_not_found: {
    status: 404,
    title: 'No such grant',
    hint: 'Check the id with `alter-proxy grant list`; the log names unreadable records.',
    proxyStatus: 'http_request_denied',
  },
  endpoint_not_found: {
    status: 404,
    title: 'The proxy itself has nothing here',
    hint: 'The one address of the proxy itself is /v1/grants; for everything else set HTTPS_PROXY and HTTP_PROXY to it.',
    proxyStatus: 'http_request_denied',
  },
  method_not_supported: {
    status: 405,
    title: 'TRACE and TRACK are not forwarded',
    hint: 'Use another method.',
    proxyStatus: 'http_request_denied',
  },
  endpoint_method_not_allowed: {
    status: 405,
    title: 'The address of the proxy does not take this method',
    hint: 'The field Allow of the answer names the methods.',
    proxyStatus: 'http_request_denied',
  },
  ambiguous_grant: {
    status: 409,
    title: 'The request names more than one grant',
    hint: 'Name exactly one grant, by its id.',
    proxyStatus: 'http_request_denied',
  },
  grant_expired: {
    status: 410,
    title: 'The grant has expired',
    hint: 'Issue a new grant.',
    proxyStatus: 'http_request_denied',
  },
  grant_revoked: {
    status: 410,
    title: 'The grant was revoked',
    hint: 'Reactivate it with `alter-proxy grant reactivate`, or issue a new grant.',
    proxyStatus: 'http_request_denied',
  },
  grant_deleted: {
    status: 410,
    title: 'The grant was deleted',
    hint: 'Issue a new grant.',
    proxyStatus: 'http_request_denied',
  },
  credential_revoked: {
    status: 410,
    title: 'The secret behind this grant was deleted or revoked',
    hint: 'Reactivate a revoked secret with `alter-proxy secret reactivate`; a deleted one must be stored again, with a new grant.',
    proxyStatus: 'http_request_denied',
  },
  body_too_large_to_sign: {
    status: 413,
    title: 'The body is too large to be signed',
    hint: 'Send a smaller body or a streaming signature.',
    proxyStatus: 'http_request_denied',
  },
  signing_scope_unknown: {
    status: 400,
    title: 'The AWS region or service to sign for is not known',
    hint: 'Let the client sign for its region (any key), or store region and service with the secret.',
    proxyStatus: 'http_request_denied',
  },
  signing_scope_mismatch: {
    status: 400,
    title: 'The AWS region or service contradicts the host or the secret',
    hint: 'Configure the client for the region and service of the endpoint that it calls.',
    proxyStatus: 'http_request_denied',
  },
  grant_request_too_large: {
    status: 413,
    title: 'The request for a grant is too large',
    hint: 'A request for a grant has at most 4 KiB.',
    proxyStatus: 'http_request_denied',
  },
  content_type_not_supported: {
    status: 415,
    title: 'The request for a grant is not JSON',
    hint: 'Send it with Content-Type: application/json.',
    proxyStatus: 'http_request_error',
  },
  unsuitable_body: {
    status: 415,
    title: 'The body cannot take the credential',
    hint: 'Send a body in the form that the provider takes its credential in; the detail says what this one lacks.',
    proxyStatus: 'http_request_denied',
  },
  authority_mismatch: {
    status: 421,
    title: 'CONNECT authority, TLS server name and Host do not agree',
    hint: 'Use one and the same host in the URL, the TLS server name and the Host header.',
    proxyStatus: 'http_request_denied',
  },
  websocket_not_supported: {
    status: 501,
    title: 'WebSocket is not supported',
    hint: 'Put the host into intercept.pass_through: a WebSocket to it is tunnelled untouched, without a grant.',
    proxyStatus: 'http_request_denied',
  },
  rate_limited: {
    status: 429,
    title: 'Too many requests',
    hint: 'Wait as long as Retry-After says.',
    proxyStatus: 'http_request_denied',
  },
  too_many_connections: {
    status: 429,
    title: 'Too many connections',
    hint: 'Close idle connections, or raise limits.max_connections (clients) or upstream.max_connections (providers).',
    proxyStatus: 'connection_limit_reached',
  },
  upstream_unreachable: {
    status: 502,
    title: 'The destination cannot be reached',
    hint: 'Check the host name, DNS and the network from the proxy to the destination.',
    proxyStatus: 'destination_unavailable',
  },
  upstream_tls_failed: {
    status: 502,
    title: 'The TLS connection to the destination failed',
    hint: 'The detail names the check that failed; a private CA goes into upstream.ca_files.',
    proxyStatus: 'tls_certificate_error',
  },
  upstream_protocol_error: {
    status: 502,
    title: 'The destination answered with something that is not valid HTTP',
    hint: 'Check the destination without the proxy.',
    proxyStatus: 'http_protocol_error',
  },
  upstream_timeout: {
    status: 504,
    title: 'The destination did not answer in time',
    hint: 'Check the destination, or raise the upstream time-outs.',
    proxyStatus: 'http_response_timeout',
  },
  store_unavailable: {
    status: 503,
    title: 'The grant store cannot be reached',
    hint: 'Check the store; nothing is forwarded without it. See `alter-proxy doctor`.',
    proxyStatus: 'proxy_internal_error',
  },
  audit_unavailable: {
    status: 503,
    title: 'The use of the grant cannot be recorded',
    hint: 'Check the store that receives audit events; nothing is forwarded unrecorded.',
    proxyStatus: 'proxy_internal_error',
  },
  idp_unavailable: {
    status: 503,
    title: 'The identity provider cannot be asked',
    hint: 'Check that the proxy reaches the issuer over https; a private address needs upstream.allow_private, a private CA upstream.ca_files.',
    proxyStatus: 'proxy_internal_error',
  },
  credential_unavailable: {
    status: 503,
    title: 'The short-lived credential of this grant cannot be obtained',
    hint: 'The detail says why the token endpoint did not give one; check the stored values with a new `alter-proxy secret rotate`, and that the proxy reaches the endpoint over https.',
    proxyStatus: 'proxy_internal_error',
  },
  policy_unavailable: {
    status: 503,
    title: 'A policy of this grant cannot be evaluated',
    hint: 'The log of the proxy has the cause, and `alter-proxy policy explain` with the request id; a record of a newer version needs a newer proxy.',
    proxyStatus: 'proxy_internal_error',
  },
  grant_issue_unavailable: {
    status: 503,
    title: 'This proxy cannot issue grants',
    hint: 'Its keyring has no active key for the app, so it can open records but not seal new ones; ask another proxy, or the operator.',
    proxyStatus: 'proxy_internal_error',
  },
  body_memory_full: {
    status: 503,
    title: 'Too many bodies are being read at once',
    hint: 'Send the request again in a moment, or raise limits.max_body_memory_bytes.',
    proxyStatus: 'proxy_internal_error',
  },
  body_spool_failed: {
    status: 503,
    title: 'The body cannot be kept on the disk',
    hint: 'Look at the log: limits.body_spool_folder is missing, full, or not writable for the proxy.',
    proxyStatus: 'proxy_internal_error',
  },
  shutting_down: {
    status: 503,
    title: 'The proxy is shutting down',
    hint: 'Send the request again, to another instance or after the restart.',
    proxyStatus: 'connection_limit_reached',
  },
  internal_error: {
    status: 500,
    title: 'The proxy failed on this request',
    hint: 'The log line with this request id has the cause; please report it.',
    proxyStatus: 'proxy_internal_error',
  },
});

/** What the registry says of a code that ends a command. */
export interface CommandErrorSpec {
  /** Exit code: 1 error, 2 usage, 3 not allowed, 4 not found. */
  readonly exit: 1 | 2 | 3 | 4;
  /** What to do, in one line. */
  readonly hint: string;
}

const command = <const T extends Record<string, CommandErrorSpec>>(specs: T): T => specs;

/** Codes that only commands and the start of the proxy can end with. */
export const COMMAND_ERRORS = command({
  usage: { exit: 2, hint: 'See the command with --help.' },
  config_invalid: { exit: 1, hint: 'Mend the line named above; `alter-proxy config check` reads it without starting.' },
  home_exists: { exit: 3, hint: 'Choose another folder with --home; an existing home is never overwritten.' },
  home_missing: { exit: 4, hint: 'Create one with `alter-proxy init`, or name it with --home or ALTER_HOME.' },
  file_unreadable: { exit: 1, hint: 'Check that the file exists and that this user may read it.' },
  file_unwritable: { exit: 1, hint: 'Check free space and that this user may write there.' },
  key_file_exposed: { exit: 3, hint: 'Run chmod 600 on the file and chmod 700 on its folder, and rotate the key if others could read it.' },
  ca_unreadable: {
    exit: 1,
    hint: 'Restore the CA files from a backup, or make a new CA with `alter-proxy ca renew` and give it to the clients.',
  },
  keyring_unreadable: { exit: 1, hint: 'Restore the keyring file from a backup; without it no stored record opens.' },
  keyring_key_in_use: { exit: 3, hint: 'Run `alter-proxy keyring rewrap` first.' },
  store_corrupt: {
    exit: 1,
    hint: 'Stop all proxies, then restore the store folder from a backup, or point store.path to an empty folder.',
  },
  store_unreachable: { exit: 1, hint: 'Check that the store runs and that its address and password are right.' },
  proxy_unreachable: { exit: 1, hint: 'Check that the proxy runs and that its address is right; see --proxy.' },
  port_in_use: { exit: 1, hint: 'Stop the other process, or choose another port with --port.' },
  listen_failed: { exit: 1, hint: 'Check the address in listen.host, and that this user may use the port.' },
  worker_failed: { exit: 1, hint: 'The log has what the worker said; try --workers 1, and look for too little memory.' },
  record_invalid: { exit: 2, hint: 'Mend the value named above.' },
  record_exists: { exit: 3, hint: 'Choose another name, or change the existing one.' },
  record_conflict: { exit: 1, hint: 'Somebody changed the record at the same time; run the command again.' },
  record_unreadable: {
    exit: 1,
    hint: 'The record does not open with this keyring, was damaged, or something else stands there.',
  },
  not_found: { exit: 4, hint: 'List what exists with the list command.' },
  not_allowed: { exit: 3, hint: 'The operation is refused on purpose; see the message.' },
  internal: { exit: 1, hint: 'This is a defect; please report it with the command you ran.' },
});

/** Code of a refusal on the wire. */
export type WireCode = keyof typeof WIRE_ERRORS;
/** Code of a failed command. */
export type CommandCode = keyof typeof COMMAND_ERRORS;
