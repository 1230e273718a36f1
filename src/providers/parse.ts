import { checkMeaning } from './check.ts';
import { ProviderDocument } from './document.ts';
import { checkSchema, type ProviderText, type RuleText } from './schema.ts';
import type { InjectionRule, ProviderField, ProviderTemplate } from './template.ts';

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
  const { fields, inject, hosts, test, shares_hosts: sharesHosts, self_hosted: selfHosted, ...facts } = text;
  return Object.freeze({
    ...facts,
    hosts: Object.freeze([...hosts]),
    ...(sharesHosts === true ? { sharesHosts } : {}),
    ...(selfHosted === true ? { selfHosted } : {}),
    fields: Object.freeze(Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, toField(field)]))),
    inject: Object.freeze(inject.map((rule) => Object.freeze(toRule(rule)))),
    ...(test === undefined ? {} : { test: Object.freeze({ ...test }) }),
  });
}

function toField(field: ProviderText['fields'][string]): ProviderField {
  return Object.freeze({ ...field, secret: field.secret ?? true });
}

function toRule({ bearer, header, basic, basic_encoded: encoded, query, cookie, path, default_header: constant }: RuleText): InjectionRule {
  if (bearer !== undefined) return { kind: 'bearer', format: bearer };
  if (header !== undefined) return { kind: 'header', name: header.name, format: header.value };
  if (basic !== undefined) return { kind: 'basic', ...basic };
  if (encoded !== undefined) return { kind: 'basic_encoded', format: encoded };
  if (query !== undefined) return { kind: 'query', name: query.name, format: query.value };
  if (cookie !== undefined) return { kind: 'cookie', name: cookie.name, format: cookie.value };
  if (path !== undefined) return { kind: 'path', format: path.segment, ...(path.under === undefined ? {} : { under: path.under }) };
  if (constant !== undefined) return { kind: 'default_header', ...constant };
  throw new TypeError('the schema lets a rule without a kind pass');
}
