import type { CommandError } from '../errors.ts';
import { schemaCheck, type SchemaFault } from '../schema-check.ts';
import type { Path, ProviderDocument } from './document.ts';
import type { HmacRule } from './hmac-rule.ts';
import type { ProviderField, TestCall } from './template.ts';

/** One item of `inject` as the file spells it: a mapping with one key. */
export interface RuleText {
  readonly bearer?: string;
  readonly header?: { readonly name: string; readonly value: string };
  readonly basic?: { readonly username: string; readonly password: string };
  readonly basic_encoded?: string;
  readonly query?: { readonly name: string; readonly value: string };
  readonly cookie?: { readonly name: string; readonly value: string };
  readonly path?: { readonly segment: string; readonly under?: string };
  readonly form_field?: { readonly name: string; readonly value: string; readonly max_bytes?: number };
  readonly json_field?: { readonly path: string; readonly value: string; readonly max_bytes?: number };
  readonly hmac?: HmacText;
  readonly default_header?: { readonly name: string; readonly value: string };
  readonly sigv4?: SigV4Text;
}

/** `derive` as the file spells it: a mapping with the kind as its one key. */
export type DerivationText = Readonly<Record<string, Readonly<Record<string, string | number | Readonly<Record<string, string>>>>>>;

/** `hmac` as the file spells it. */
interface HmacText {
  readonly algorithm: HmacRule['algorithm'];
  readonly key: string;
  readonly key_encoding?: HmacRule['keyEncoding'];
  readonly message: string;
  readonly encoding: HmacRule['encoding'];
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly max_bytes?: number;
}

interface SigV4Text {
  readonly access_key_id: string;
  readonly secret_access_key: string;
  readonly session_token?: string;
  readonly region?: string;
  readonly service?: string;
  readonly max_bytes?: number;
}

type FieldText = Omit<ProviderField, 'secret' | 'optional' | 'multiline'> & {
  readonly secret?: boolean;
  readonly optional?: boolean;
  readonly multiline?: boolean;
};

/** A provider file that fits `config/provider.schema.json`. */
export interface ProviderText {
  readonly slug: string;
  readonly name: string;
  readonly category: string;
  readonly docs?: string;
  readonly hosts: readonly string[];
  readonly shares_hosts?: boolean;
  readonly self_hosted?: boolean;
  readonly fields: Readonly<Record<string, FieldText>>;
  readonly derive?: DerivationText;
  readonly inject: readonly RuleText[];
  readonly test?: TestCall;
  readonly confidence: 'high' | 'low';
  readonly note?: string;
}

/** The data of `document` once it fits the schema. Throws `config_invalid` that names the first place which does not. */
export function checkSchema(document: ProviderDocument): ProviderText {
  const fits = schemaCheck<ProviderText>('provider');
  const data = document.data();
  if (fits(data)) return data;
  throw firstFault(document, fits.errors ?? []);
}

function firstFault(document: ProviderDocument, errors: readonly SchemaFault[]): CommandError {
  const faults = errors
    .filter(({ keyword, propertyName }) => keyword !== 'if' && propertyName === undefined)
    .map((error) => locate(document, error));
  const [first] = faults.sort((a, b) => a.offset - b.offset);
  return first?.error() ?? document.error([], 'does not fit the schema');
}

const KEY_FAULTS: Readonly<Record<string, string>> = { additionalProperties: 'is not known here', propertyNames: 'is not a good name' };

interface Fault {
  readonly offset: number;
  readonly error: () => CommandError;
}

function locate(document: ProviderDocument, error: SchemaFault): Fault {
  const path = pathOf(error.instancePath);
  const key = wrongKey(error);
  if (key !== undefined) {
    return {
      offset: document.offsetOfKey(path, key),
      error: () => document.keyError(path, key, `${KEY_FAULTS[error.keyword] ?? ''}. ${rightForm(error)}`),
    };
  }
  return { offset: document.offsetOf(path), error: () => document.error(path, whatIsWrong(error)) };
}

/** The key that should not be there, if that is what the error says. */
function wrongKey(error: SchemaFault): string | undefined {
  if (error.keyword === 'additionalProperties') return String(error.params['additionalProperty']);
  return error.keyword === 'propertyNames' ? String(error.params['propertyName']) : undefined;
}

function whatIsWrong(error: SchemaFault): string {
  if (error.keyword === 'required') return `needs ${String(error.params['missingProperty'])}`;
  if (error.keyword === 'dependentRequired')
    return `needs ${String(error.params['missingProperty'])} beside ${String(error.params['property'])}`;
  if (error.keyword === 'type') return `must be ${expectedType(error)}. ${rightForm(error)}`;
  return `has the wrong form. ${rightForm(error)}`;
}

function expectedType(error: SchemaFault): string {
  switch (String(error.params['type'])) {
    case 'string,array':
      return 'text or a list of texts';
    case 'string':
      return 'text (put it in quotes)';
    case 'array':
      return 'a list';
    case 'boolean':
      return 'true or false';
    case 'integer':
      return 'a whole number';
    default:
      return 'a mapping';
  }
}

/** What the schema says about the value, and the keys that it knows. */
function rightForm(error: SchemaFault): string {
  const { description, properties } = (error.parentSchema ?? {}) as { description?: string; properties?: object };
  const known = error.keyword === 'additionalProperties' && properties ? [`Known: ${Object.keys(properties).join(', ')}.`] : [];
  return [...known, ...(description === undefined ? [] : [description])].join(' ');
}

function pathOf(instancePath: string): Path {
  const parts = instancePath.split('/').slice(1);
  return parts.map((part) => (/^[0-9]+$/.test(part) ? Number(part) : part.replaceAll('~1', '/').replaceAll('~0', '~')));
}
