import { prepareInjection } from '../../src/inject/registry.ts';
import type { Draft, PreparedInjection } from '../../src/inject/injector.ts';
import type { Origin } from '../../src/message/authority.ts';
import type { HeaderList } from '../../src/message/header-list.ts';
import { canonicalUrl } from '../../src/message/url.ts';
import type { InjectionRule, ProviderTemplate } from '../../src/providers/template.ts';
import { Secret } from '../../src/secret/secret.ts';
import { headers } from './headers.ts';

/** A template with these rules; every field that the values name is declared, those in `open` as not secret. */
export function template(
  rules: readonly InjectionRule[],
  values: Readonly<Record<string, string>>,
  open: readonly string[] = [],
): ProviderTemplate {
  const fields = Object.fromEntries(Object.keys(values).map((name) => [name, { label: name, secret: !open.includes(name) }]));
  return { slug: 'test', name: 'Test', category: 'test', hosts: ['api.example.com'], fields, inject: rules, confidence: 'low' };
}

/** The injection of `values` by `rules`. */
export function injection(
  rules: readonly InjectionRule[],
  values: Readonly<Record<string, string>>,
  open: readonly string[] = [],
): PreparedInjection {
  const secrets = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, new Secret(value)]));
  return prepareInjection(template(rules, values, open), secrets);
}

/** A request without a body, to be written into. */
export function draft(target: string, ...lines: readonly string[]): Draft {
  return draftOf(target, headers(...lines));
}

/** The same with a list of headers. */
export function draftOf(target: string, list: HeaderList): Draft {
  const origin: Origin = { scheme: 'https', host: 'api.example.com', port: 443 };
  return { method: 'GET', origin, url: canonicalUrl(target), headers: list, bodyLength: { kind: 'none' } };
}
