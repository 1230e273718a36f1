import { decodeJwt } from 'jose';
import { CommandError } from '../../errors.ts';
import type { GoogleServiceAccountDerivation } from '../../providers/derivation.ts';
import { reveal } from '../../secret/reveal.ts';
import { unusable } from './failure.ts';
import { readOauth2Answer, refusesBearer } from './oauth2-answer.ts';
import { FORM_HEADERS, formOf } from './oauth2.ts';
import { rsaKey, signedJwt } from './signed-jwt.ts';
import type { StoredValues } from './stored-values.ts';
import type { DerivedToken, TokenMaker } from './token.ts';

const PUBLIC_TOKEN_URL = 'https://oauth2.googleapis.com/token';
/** An hour, the longest that Google takes; it begins a little earlier for a clock that runs ahead. */
const BACK_S = 30;
const LIFE_S = 3600 - BACK_S;

interface Account {
  readonly email: string;
  readonly privateKey: string;
  readonly kid: string | undefined;
}

/** `google_service_account`: RFC 7523 §2.1 as Google takes it. The `token_uri` of a key file is not believed: the provider names the endpoint. */
export function googleServiceAccount(derive: GoogleServiceAccountDerivation, values: StoredValues): TokenMaker {
  const { email, privateKey, kid } = accountOf(derive, values);
  const key = rsaKey(privateKey);
  const url = values.url(derive.tokenUrl ?? PUBLIC_TOKEN_URL);
  const endpoint = new URL(url).host;
  const [what, wanted] =
    derive.targetAudience === undefined ? (['scope', derive.scope] as const) : (['target_audience', derive.targetAudience] as const);
  const value = values.optional(wanted) ?? '';
  if (value === '') throw new CommandError('record_invalid', `the ${what} of the token is missing`);
  const subject = values.optional(derive.subject);
  const claims = { iss: email, aud: url, [what]: value, ...(subject === undefined ? {} : { sub: subject }) };
  return {
    endpoint,
    renews: undefined,
    request: async (at) => {
      const assertion = await signedJwt(key, claims, { at, backS: BACK_S, lifeS: LIFE_S, kid });
      const body = formOf([
        ['grant_type', 'urn:ietf:params:oauth:grant-type:jwt-bearer'],
        ['assertion', assertion],
      ]);
      return { method: 'POST', url, headers: FORM_HEADERS, body };
    },
    read: (answer, at) =>
      derive.targetAudience === undefined
        ? readOauth2Answer(endpoint, answer)
        : idToken(endpoint, readOauth2Answer(endpoint, answer, 'id_token'), at),
    refuses: refusesBearer,
  };
}

/** An ID token says itself when it ends. */
function idToken(endpoint: string, token: DerivedToken, at: number): DerivedToken {
  const exp = expiryOf(token.values['id_token']);
  const lifeMs = (exp ?? 0) * 1000 - at;
  if (!(lifeMs >= 1000)) throw unusable(endpoint, 'gave an ID token that has ended, or is none');
  return { ...token, lifeMs };
}

function expiryOf(token: DerivedToken['values'][string] | undefined): number | undefined {
  try {
    return token === undefined ? undefined : decodeJwt(reveal(token)).exp;
  } catch {
    return undefined;
  }
}

function accountOf(derive: GoogleServiceAccountDerivation, values: StoredValues): Account {
  if (derive.serviceAccount === undefined) {
    return { email: values.text(derive.clientEmail ?? ''), privateKey: values.text(derive.privateKey ?? ''), kid: undefined };
  }
  const file = parsed(values.text(derive.serviceAccount));
  const { type, client_email: email, private_key: privateKey, private_key_id: kid } = file;
  if (type !== 'service_account' || typeof email !== 'string' || typeof privateKey !== 'string' || email === '') {
    throw new CommandError('record_invalid', 'the key file is not that of a service account: JSON with type, client_email and private_key');
  }
  return { email, privateKey, kid: typeof kid === 'string' ? kid : undefined };
}

/** An object, empty when the text is none; the parser's own message would quote the key. */
function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
