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
  const provider = checkSchema(document);
  checkMeaning(document, provider);
  return toTemplate(provider);
}

function toTemplate({ fields, inject, hosts, ...facts }: ProviderText): ProviderTemplate {
  return Object.freeze({
    ...facts,
    hosts: Object.freeze([...hosts]),
    fields: Object.freeze(Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, toField(field)]))),
    inject: Object.freeze(inject.map((rule) => Object.freeze(toRule(rule)))),
  });
}

function toField(field: ProviderText['fields'][string]): ProviderField {
  return Object.freeze({ ...field, secret: field.secret ?? true });
}

function toRule({ bearer, header, basic, query, default_header: constant }: RuleText): InjectionRule {
  if (bearer !== undefined) return { kind: 'bearer', format: bearer };
  if (header !== undefined) return { kind: 'header', name: header.name, format: header.value };
  if (basic !== undefined) return { kind: 'basic', ...basic };
  if (query !== undefined) return { kind: 'query', name: query.name, format: query.value };
  if (constant !== undefined) return { kind: 'default_header', ...constant };
  throw new TypeError('the schema lets a rule without a kind pass');
}
