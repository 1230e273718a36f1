import { checkMeaning } from './check.ts';
import { ProviderDocument } from './document.ts';
import type { Derivation } from './derivation.ts';
import { checkSchema, type DerivationText, type ProviderText, type RuleText } from './schema.ts';
import type { InjectionRule, ProviderField, ProviderTemplate, TestCall } from './template.ts';

/**
 * Reads a provider file. Throws `config_invalid` with `file:line:col path: what would be right` for the first place that is wrong.
 * The template is frozen.
 */
export function parseProvider(text: string, fileName: string): ProviderTemplate {
  const document = new ProviderDocument(text, fileName);
  const template = toTemplate(checkSchema(document));
  checkMeaning(document, template);
  return template;
}

function toTemplate(text: ProviderText): ProviderTemplate {
  const { fields, derive, inject, hosts, test, shares_hosts: sharesHosts, self_hosted: selfHosted, ...facts } = text;
  return Object.freeze({
    ...facts,
    hosts: Object.freeze([...hosts]),
    ...(sharesHosts === true ? { sharesHosts } : {}),
    ...(selfHosted === true ? { selfHosted } : {}),
    fields: Object.freeze(Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, toField(field)]))),
    ...(derive === undefined ? {} : { derive: toDerivation(derive) }),
    inject: Object.freeze(inject.map((rule) => Object.freeze(toRule(rule)))),
    ...(test === undefined ? {} : { test: toTest(test) }),
  });
}

function toTest(test: TestCall): TestCall {
  return Object.freeze({ ...test, ...(typeof test.host === 'object' ? { host: Object.freeze([...test.host]) } : {}) });
}

function toField(field: ProviderText['fields'][string]): ProviderField {
  const { optional, multiline, secret = true, ...rest } = field;
  return Object.freeze({
    ...rest,
    secret,
    ...(optional === true ? { optional } : {}),
    ...(multiline === true ? { multiline } : {}),
  });
}

/** One kind, its members in the spelling of the code; names inside of a mapping are the provider's own. */
function toDerivation(text: DerivationText): Derivation {
  const [[kind, members] = ['', {}]] = Object.entries(text);
  const camel = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const entries = Object.entries(members).map(([name, value]) => [
    camel(name),
    typeof value === 'object' ? Object.freeze({ ...value }) : value,
  ]);
  return Object.freeze({ kind, ...Object.fromEntries(entries) }) as Derivation;
}

function toRule(rule: RuleText): InjectionRule {
  const { bearer, header, basic, basic_encoded: encoded, query, cookie, path, default_header: constant, sigv4 } = rule;
  if (bearer !== undefined) return { kind: 'bearer', format: bearer };
  if (header !== undefined) return { kind: 'header', name: header.name, format: header.value };
  if (basic !== undefined) return { kind: 'basic', ...basic };
  if (encoded !== undefined) return { kind: 'basic_encoded', format: encoded };
  if (query !== undefined) return { kind: 'query', name: query.name, format: query.value };
  if (cookie !== undefined) return { kind: 'cookie', name: cookie.name, format: cookie.value };
  if (path !== undefined) return { kind: 'path', format: path.segment, ...(path.under === undefined ? {} : { under: path.under }) };
  if (constant !== undefined) return { kind: 'default_header', ...constant };
  if (sigv4 !== undefined) return toSigV4(sigv4);
  return toBodyRule(rule);
}

/** The rules that may read the body. */
function toBodyRule({ form_field: form, json_field: json, hmac }: RuleText): InjectionRule {
  if (form !== undefined) return { kind: 'form_field', name: form.name, format: form.value, ...atMost(form) };
  if (json !== undefined) return { kind: 'json_field', path: json.path, format: json.value, ...atMost(json) };
  if (hmac !== undefined) {
    const { algorithm, key, key_encoding: keyEncoding = 'raw', message, encoding, headers = {}, query = {} } = hmac;
    const outputs = { headers: Object.freeze({ ...headers }), query: Object.freeze({ ...query }) };
    return { kind: 'hmac', algorithm, key, keyEncoding, message, encoding, ...outputs, ...atMost(hmac) };
  }
  throw new TypeError('the schema lets a rule without a kind pass');
}

function atMost({ max_bytes: maxBytes }: { readonly max_bytes?: number }): { readonly maxBytes?: number } {
  return maxBytes === undefined ? {} : { maxBytes };
}

function toSigV4({
  access_key_id: accessKeyId,
  secret_access_key: secretAccessKey,
  ...rest
}: NonNullable<RuleText['sigv4']>): InjectionRule {
  const { session_token: sessionToken, max_bytes: _maxBytes, ...scope } = rest;
  return {
    kind: 'sigv4',
    accessKeyId,
    secretAccessKey,
    ...scope,
    ...(sessionToken === undefined ? {} : { sessionToken }),
    ...atMost(rest),
  };
}
