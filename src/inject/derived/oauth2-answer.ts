import { AlterError } from '../../errors.ts';
import { Secret } from '../../secret/reveal.ts';
import { refused, unusable } from './failure.ts';
import type { DerivedToken, TokenAnswer } from './token.ts';

/** Error codes that may be shown: RFC 6749 §5.2 and §4.1.2.1, RFC 8707 §2, RFC 7009 §2.2.1. */
const KNOWN_ERRORS: ReadonlySet<unknown> = new Set([
  ...['invalid_request', 'invalid_client', 'invalid_grant', 'unauthorized_client', 'unsupported_grant_type', 'invalid_scope'],
  ...['access_denied', 'server_error', 'temporarily_unavailable', 'invalid_target'],
]);

/** VSCHAR without the space (RFC 6749 appendix A.12): what a header can carry as one word. */
const TOKEN = /^[!-~]{1,16384}$/;
/** The type of a bearer token (RFC 6750 §6.1.1), also as Apigee spells it. */
const BEARER = /^bearer(?:token)?$/i;
/** Ten years: whoever says more does not mean seconds. */
const MAX_LIFE_S = 315_360_000;

/** The answer of an OAuth 2.0 token endpoint (RFC 6749 §5). Throws AlterError `credential_unavailable`. */
export function readOauth2Answer(
  endpoint: string,
  answer: TokenAnswer,
  member: 'access_token' | 'id_token' = 'access_token',
): DerivedToken {
  const document = successOf(endpoint, answer);
  const token = document[member];
  if (typeof token !== 'string' || !TOKEN.test(token)) throw unusable(endpoint, `gave no ${member} that can be sent`);
  const type = document['token_type'];
  if (!isLeftOut(type) && (typeof type !== 'string' || !BEARER.test(type))) {
    throw unusable(endpoint, 'gave a token of another type than Bearer');
  }
  return { values: { [member]: new Secret(token) }, lifeMs: lifeOf(endpoint, document['expires_in']) };
}

/** The new refresh token of an answer with success, whatever stands beside it. Throws AlterError `credential_unavailable`. */
export function readRenewed(endpoint: string, answer: TokenAnswer): Secret | undefined {
  const renewed = successOf(endpoint, answer)['refresh_token'];
  if (isLeftOut(renewed)) return undefined;
  if (typeof renewed !== 'string' || !TOKEN.test(renewed)) throw unusable(endpoint, 'gave a refresh token that cannot be stored');
  return new Secret(renewed);
}

/** The JSON object of an answer with success. What else came is not quoted: it may hold a secret. */
export function successOf(endpoint: string, answer: TokenAnswer): Readonly<Record<string, unknown>> {
  const document = jsonOf(answer);
  if (answer.status !== 200 && answer.status !== 201) {
    throw refused(endpoint, answer, knownError(document?.['error']));
  }
  if (document === undefined) throw unusable(endpoint, 'answered something that is not a JSON object');
  // Some answer an error with 200.
  const error = document['error'];
  if (!isLeftOut(error)) throw refused(endpoint, answer, knownError(error));
  return document;
}

/** Whether a member says nothing. Some write null or an empty text for what they do not give. */
function isLeftOut(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

/** An error code that OAuth defines; anything else may be anything. */
function knownError(code: unknown): string | undefined {
  return typeof code === 'string' && KNOWN_ERRORS.has(code) ? code : undefined;
}

function jsonOf({ headers, body }: TokenAnswer): Readonly<Record<string, unknown>> | undefined {
  if (!/^application\/(?:json|[\w.+-]+\+json)\s*(?:;|$)/i.test(headers.get('content-type') ?? '')) return undefined;
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    // The parser's own message quotes the text.
    return undefined;
  }
}

/** `expires_in` in milliseconds. Some write the number as text, or with a fraction. */
function lifeOf(endpoint: string, value: unknown): number | undefined {
  if (isLeftOut(value)) return undefined;
  const seconds = typeof value === 'string' && /^[0-9]{1,10}(?:\.[0-9]{1,10})?$/.test(value) ? Number(value) : value;
  if (typeof seconds !== 'number' || !(seconds >= 1 && seconds <= MAX_LIFE_S))
    throw unusable(endpoint, 'gave a token with an expiry that cannot be');
  return seconds * 1000;
}

/** How long something lasts that ends at an instant, by the clock of the one who gave it. */
export function lifeUntil(endpoint: string, instant: unknown, answer: TokenAnswer, at: number): number {
  const end = typeof instant === 'string' && /^\d{4}-\d\d-\d\dT/.test(instant) ? Date.parse(instant) : Number.NaN;
  const date = Date.parse(answer.headers.get('date') ?? '');
  const lifeMs = end - (Number.isNaN(date) ? at : date);
  if (!(lifeMs >= 1000 && lifeMs <= MAX_LIFE_S * 1000)) throw unusable(endpoint, 'gave a token with an expiry that cannot be');
  return lifeMs;
}

/** Whether a provider's answer says that a bearer token is not good any more (RFC 6750 §3.1). */
export function refusesBearer({ status }: { readonly status: number }): boolean {
  return status === 401;
}

/** Whether this is the failure of an endpoint that refuses for good: to ask again soon changes nothing. */
export function isRefusal(error: AlterError): boolean {
  return KNOWN_ERRORS.has(error.rule) && error.rule !== 'server_error' && error.rule !== 'temporarily_unavailable';
}
