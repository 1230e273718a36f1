import { CommandError } from '../../errors.ts';
import type { ClientCredentialsDerivation, RefreshTokenDerivation } from '../../providers/derivation.ts';
import { fieldReferences } from '../../providers/format.ts';
import { reveal } from '../../secret/reveal.ts';
import { readOauth2Answer, readRenewed, refusesBearer } from './oauth2-answer.ts';
import type { StoredValues } from './stored-values.ts';
import type { TokenMaker, TokenRequest } from './token.ts';

/** `oauth2_client_credentials` (RFC 6749 §4.4). */
export function clientCredentials(derive: ClientCredentialsDerivation, values: StoredValues): TokenMaker {
  const endpoint = endpointOf(derive, values);
  const request = endpoint.request([
    ['grant_type', 'client_credentials'],
    ['scope', values.optional(derive.scope)],
    ['audience', values.optional(derive.audience)],
    ['resource', values.optional(derive.resource)],
    ...values.map(derive.parameters),
  ]);
  return {
    endpoint: endpoint.host,
    renews: undefined,
    request: () => request,
    read: (answer) => readOauth2Answer(endpoint.host, answer),
    refuses: refusesBearer,
  };
}

/** `oauth2_refresh_token` (RFC 6749 §6). */
export function refreshToken(derive: RefreshTokenDerivation, values: StoredValues): TokenMaker {
  const endpoint = endpointOf(derive, values);
  const [field] = fieldReferences(derive.refreshToken);
  const parameters: Parameters = [['scope', values.optional(derive.scope)], ...values.map(derive.parameters)];
  values.text(derive.refreshToken);
  return {
    endpoint: endpoint.host,
    renews: field === undefined ? undefined : { field, read: (answer) => readRenewed(endpoint.host, answer) },
    request: (_at, current) =>
      endpoint.request([
        ['grant_type', 'refresh_token'],
        ['refresh_token', current === undefined ? undefined : reveal(current)],
        ...parameters,
      ]),
    read: (answer) => readOauth2Answer(endpoint.host, answer),
    refuses: refusesBearer,
  };
}

type Parameters = readonly (readonly [name: string, value: string | undefined])[];

interface Endpoint {
  readonly host: string;
  readonly request: (parameters: Parameters) => TokenRequest;
}

/** The token endpoint of a client that names itself as the provider wants it (RFC 6749 §2.3.1). */
function endpointOf(derive: ClientCredentialsDerivation | RefreshTokenDerivation, values: StoredValues): Endpoint {
  const url = values.url(derive.tokenUrl);
  const id = values.text(derive.clientId);
  const secret = values.optional(derive.clientSecret);
  if (id === '' || secret === '') throw new CommandError('record_invalid', 'the client id or the client secret is empty');
  const basic = secret !== undefined && derive.auth !== 'body';
  const own: Parameters = basic
    ? []
    : [
        ['client_id', id],
        ['client_secret', secret],
      ];
  const pair = Buffer.from(`${formEncoded(id)}:${formEncoded(secret ?? '')}`, 'utf8').toString('base64');
  const headers = [...FORM_HEADERS, ...(basic ? ['Authorization', `Basic ${pair}`] : [])];
  return {
    host: new URL(url).host,
    request: (parameters) => ({ method: 'POST', url, headers, body: formOf([...parameters, ...own]) }),
  };
}

/** Headers of a form that asks for JSON. */
export const FORM_HEADERS = [
  'Content-Type',
  'application/x-www-form-urlencoded',
  'Accept',
  'application/json',
  'User-Agent',
  'alter-proxy',
];

/** A form of those parameters that have a value; of two with one name the later one counts. */
export function formOf(parameters: Parameters): string {
  const form = new URLSearchParams();
  for (const [name, value] of parameters) if (value !== undefined) form.set(name, value);
  return form.toString();
}

function formEncoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1);
}
