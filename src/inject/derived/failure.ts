import { AlterError, type WireCode } from '../../errors.ts';
import type { TokenAnswer } from './token.ts';

/** Finer reasons of `credential_unavailable`, besides the error codes of OAuth. */
export type FailureReason =
  | `endpoint_${'unreachable' | 'timeout' | 'tls' | 'blocked' | 'failed' | 'answer'}`
  | 'secret_changed'
  | 'renewal_unfinished'
  | 'too_many_waiting'
  | 'not_exchanged';

/** `credential_unavailable` with a reason. `detail` is safe for clients: it holds nothing that the endpoint wrote. */
export function unavailable(
  rule: string,
  detail: string,
  options: { readonly retryAfterS?: number; readonly cause?: unknown } = {},
): AlterError {
  return new AlterError('credential_unavailable', { rule, detail, ...options });
}

/** The answer of an endpoint is no token. */
export function unusable(endpoint: string, what: string): AlterError {
  return unavailable('endpoint_answer' satisfies FailureReason, `the token endpoint ${endpoint} ${what}`);
}

/** `Retry-After` of an endpoint is believed up to here. */
const MAX_RETRY_AFTER_S = 300;

/** An endpoint answered an error. `code`: what it says in a form that is known to be safe. */
export function refused(endpoint: string, { status, headers }: TokenAnswer, code: string | undefined): AlterError {
  const seconds = Math.min(retryAfterS(headers), MAX_RETRY_AFTER_S);
  const isSuccess = status === 200 || status === 201;
  const said = code ?? (isSuccess ? 'with an error of its own' : '');
  return unavailable(
    code ?? ('endpoint_failed' satisfies FailureReason),
    `the token endpoint ${endpoint} answered ${String(status)} ${said}`.trimEnd(),
    {
      ...(seconds > 0 ? { retryAfterS: seconds } : {}),
    },
  );
}

/** `Retry-After` in seconds, NaN without one that can be read. A date counts by the Date of the answer (RFC 9110 §10.2.3). */
function retryAfterS(headers: TokenAnswer['headers']): number {
  const value = headers.get('retry-after') ?? '';
  if (/^[0-9]{1,6}$/.test(value)) return Number(value);
  if (!/^[A-Z][a-z]+, .* GMT$/.test(value)) return Number.NaN;
  return Math.ceil((Date.parse(value) - Date.parse(headers.get('date') ?? '')) / 1000);
}

const REASONS: Readonly<Partial<Record<WireCode, FailureReason>>> = {
  upstream_unreachable: 'endpoint_unreachable',
  upstream_timeout: 'endpoint_timeout',
  upstream_tls_failed: 'endpoint_tls',
  upstream_protocol_error: 'endpoint_answer',
  destination_blocked: 'endpoint_blocked',
};

/** Whatever kept a token away, as a refusal for the client. What the transport says names hosts and statuses only. */
export function asUnavailable(error: unknown, endpoint: string): AlterError {
  if (!(error instanceof AlterError)) return unavailable('endpoint_answer', `no token of ${endpoint} can be used`, { cause: error });
  const reason = REASONS[error.code];
  if (reason === undefined) return error;
  const detail = reason === 'endpoint_blocked' ? `the address of the token endpoint ${endpoint} is not allowed` : (error.detail ?? '');
  return unavailable(reason, `no token of ${endpoint}: ${detail}`, { cause: error });
}
