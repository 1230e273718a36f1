import { derivationFormats, derivedFields, tenantFields } from '../providers/derived-fields.ts';
import { rulePlaces } from '../providers/rules.ts';
import type { InjectionRule, ProviderTemplate } from '../providers/template.ts';

/** What an operator reads who looks at a provider whose facts come from one source, or from none. */
export const LOW_CONFIDENCE =
  'Low confidence: these facts have one source or less. Compare them with the documentation of the API before you rely on them.';

/** A grant as a client writes it where its credential would stand. */
const PLACEHOLDER = 'alter_grant_<grant id>';

/** Where a rule writes, in a few words: `header x-api-key`. */
function place(rule: InjectionRule): string {
  switch (rule.kind) {
    case 'bearer':
    case 'basic':
    case 'path':
      return rule.kind;
    case 'basic_encoded':
      return 'basic';
    case 'header':
    case 'query':
    case 'cookie':
      return `${rule.kind} ${rule.name}`;
    case 'form_field':
      return `body ${rule.name}`;
    case 'json_field':
      return `body ${rule.path}`;
    case 'hmac':
      return 'hmac';
    case 'sigv4':
      return 'AWS signature';
    case 'default_header':
      return '';
  }
}

/** Where a provider takes its credential: `header x-api-key, query key`; and whether it is a short-lived one, `bearer (derived)`. */
export function placesText(template: ProviderTemplate): string {
  const places = template.inject
    .map(place)
    .filter((text) => text !== '')
    .join(', ');
  return template.derive === undefined ? places : `${places} (derived)`;
}

/** What a rule writes, as it stands in a request. */
function ruleText(rule: InjectionRule): string {
  switch (rule.kind) {
    case 'bearer':
      return `Authorization: Bearer ${rule.format}`;
    case 'basic':
      return `Authorization: Basic base64(${rule.username}:${rule.password})`;
    case 'basic_encoded':
      return `Authorization: Basic ${rule.format}`;
    case 'header':
      return `${rule.name}: ${rule.format}`;
    case 'query':
      return `?${rule.name}=${rule.format}`;
    case 'cookie':
      return `Cookie: ${rule.name}=${rule.format} (other cookies stay)`;
    case 'path':
      return `/${rule.format}/… in the path${rule.under === undefined ? '' : `, or ${rule.under}/${rule.format}/…`}`;
    case 'form_field':
      return `${rule.name}=${rule.format} in the form that is the body`;
    case 'json_field':
      return `${rule.path}: ${rule.format} in the JSON that is the body`;
    case 'hmac':
      return `a signature of each request (HMAC with ${rule.algorithm}): ${rulePlaces(rule).join(', ')}`;
    case 'sigv4':
      return `Authorization: AWS4-HMAC-SHA256 Credential=${rule.accessKeyId}/…, or the same in a presigned URL`;
    case 'default_header':
      return `${rule.name}: ${rule.value} (unless the caller sends its own)`;
  }
}

/** How a provider gets its short-lived credential: the kind, where, and what it yields. */
function derivationText({ derive }: ProviderTemplate): string | undefined {
  if (derive === undefined) return undefined;
  const [url] = derivationFormats(derive).filter(({ form }) => form === 'url');
  const yields = derivedFields(derive).map((name) => `{${name}}`);
  return `${yields.join(', ')} by ${derive.kind}${url === undefined ? '' : ` at ${url.text}`}`;
}

function fieldText(name: string, { label, secret, example, format, optional, multiline }: ProviderTemplate['fields'][string]): string {
  const remarks = [
    ...(secret ? [] : ['not secret']),
    ...(optional === true ? ['may be left out'] : []),
    ...(multiline === true ? ['a file'] : []),
    ...(format === undefined ? [] : [`must ${format}`]),
    ...(example === undefined ? [] : [`for example ${example}`]),
  ];
  return `${name}: ${label}${remarks.length === 0 ? '' : ` (${remarks.join('; ')})`}`;
}

/** The facts of a provider, a name and a value a line. */
export function providerFacts(template: ProviderTemplate): (readonly [string, string | undefined])[] {
  const { test } = template;
  const several = (name: string, lines: readonly string[]) => lines.map((line, index) => [index === 0 ? name : '', line] as const);
  return [
    ['Category', template.category],
    ...several('Hosts', template.hosts.length === 0 ? ['your own, named with --host'] : template.hosts),
    ...several(
      'Fields',
      Object.entries(template.fields).map(([name, field]) => fieldText(name, field)),
    ),
    ['Derives', derivationText(template)],
    ...several('Injects', template.inject.map(ruleText)),
    ...several(
      'Test call',
      test === undefined ? [] : [test.host ?? template.hosts[0] ?? ''].flat().map((host) => `${test.method} ${host}${test.path}`),
    ),
    ['Docs', template.docs],
    ['Shares hosts', template.sharesHosts === true ? 'yes: another provider lives on some of them' : undefined],
    ['Note', template.note],
    ['Confidence', template.confidence],
  ];
}

/** How to store a credential and how a client names its grant in the place of the credential. */
export function usageLines(template: ProviderTemplate): string[] {
  return [
    `Store a credential:  alter-proxy secret add <name> --provider ${template.slug}${destination(template)}${files(template)}`,
    `Use it:              X-Alter-Grant: <grant id>`,
    `or in its place:     ${placeholderText(template)}`,
  ];
}

/** What cannot be typed in must be named. */
function files({ fields }: ProviderTemplate): string {
  const names = Object.keys(fields).filter((name) => fields[name]?.multiline === true && fields[name].optional !== true);
  return names.map((name) => ` --field ${name}=@<file>`).join('');
}

function destination(template: ProviderTemplate): string {
  const [tenant] = tenantFields(template);
  if (tenant !== undefined) return ` --tenant <${tenant}>`;
  return template.hosts.every((host) => host.startsWith('*')) ? ' --host <your host>' : '';
}

/** A request with a placeholder where the first rule injects. */
function placeholderText({ inject }: ProviderTemplate): string {
  const rule = inject.find(({ kind }) => kind !== 'default_header');
  const filled = (format: string): string => format.replace(/\{[^}]*\}/, PLACEHOLDER).replace(/\{([^}]*)\}/g, '<$1>');
  switch (rule?.kind) {
    case 'bearer':
      return `Authorization: Bearer ${filled(rule.format)}`;
    case 'basic':
    case 'basic_encoded':
      return `curl --user ${PLACEHOLDER}:x   (Basic authentication with the placeholder as the user name)`;
    case 'header':
      return `${rule.name}: ${filled(rule.format)}`;
    case 'query':
      return `?${rule.name}=${filled(rule.format)}`;
    case 'cookie':
      return `Cookie: ${rule.name}=${filled(rule.format)}`;
    case 'path':
      return `/${filled(rule.format)}/…`;
    case 'form_field':
    case 'json_field':
    case 'hmac':
      return 'nothing: bodies and signatures are not searched for placeholders';
    case 'sigv4':
      return `AWS_ACCESS_KEY_ID=${PLACEHOLDER} AWS_SECRET_ACCESS_KEY=any`;
    default:
      return 'nothing';
  }
}
