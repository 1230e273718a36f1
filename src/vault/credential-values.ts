import { CommandError } from '../errors.ts';
import { derivedFields, neededFields } from '../providers/derived-fields.ts';
import { fitsPattern } from '../providers/pattern.ts';
import type { ProviderField, ProviderTemplate } from '../providers/template.ts';
import { Secret, reveal } from '../secret/reveal.ts';
import type { PrepareInjection } from './vault.ts';

const MAX_BYTES = 64 * 1024;
/** Fits every kind of rule: it is a word, and the base64 of a user name and a password. */
const STAND_IN = Buffer.from('user:password').toString('base64');
/** C0, DEL and C1: none can stand in a header, and CR and LF would end it. */
// eslint-disable-next-line no-control-regex -- finding control characters is its purpose
const CONTROL = /[\0-\x1f\x7f-\x9f]/;
const LINE_BREAKS = /\r?\n/g;

/**
 * The plain values of a credential, ready to be sealed: exactly the fields of the provider (those that are optional, or that only hosts refer to, may be missing),
 * each in the form that the provider tells, fit for a request, and accepted by the provider's injection. Throws CommandError `record_invalid`, which names the field and never quotes a value.
 */
export function credentialValues(
  template: ProviderTemplate,
  fields: Readonly<Record<string, Secret>>,
  prepare: PrepareInjection,
): Readonly<Record<string, string>> {
  const expected = Object.keys(template.fields);
  const needed = new Set(neededFields(template));
  const expects = `provider ${template.slug} expects: ${expected.join(', ')}`;
  const unknown = Object.keys(fields).find((name) => !expected.includes(name));
  if (unknown !== undefined) throw new CommandError('record_invalid', `there is no field ${JSON.stringify(unknown)}; ${expects}`);
  const missing = expected.find((name) => needed.has(name) && !Object.hasOwn(fields, name));
  if (missing !== undefined) throw new CommandError('record_invalid', `the field ${missing} is missing; ${expects}`);
  const values = Object.entries(fields).map(([name, secret]) => [name, checkedValue(name, secret, template.fields[name])] as const);
  prove(template, fields, prepare);
  return Object.fromEntries(values);
}

/** Proves with made-up values that the injection rules of a template compile. Throws CommandError `record_invalid`. */
export function proveTemplate(template: ProviderTemplate, prepare: PrepareInjection): void {
  // What derives a credential is checked with the file: no made-up value could stand for a private key.
  const { derive, ...rules } = template;
  const names = [...Object.keys(template.fields), ...derivedFields(derive)];
  prove(rules, Object.fromEntries(names.map((name) => [name, new Secret(STAND_IN)])), prepare);
}

function checkedValue(name: string, secret: Secret, field: ProviderField | undefined): string {
  const value = reveal(secret);
  if (value === '') throw new CommandError('record_invalid', `the value of ${name} is empty`);
  if (Buffer.byteLength(value) > MAX_BYTES) throw new CommandError('record_invalid', `the value of ${name} is longer than 64 KiB`);
  if (CONTROL.test(field?.multiline === true ? value.replace(LINE_BREAKS, '') : value)) {
    throw new CommandError('record_invalid', `the value of ${name} holds a line break or another control character`);
  }
  const { pattern, format = 'as the provider says' } = field ?? {};
  if (pattern !== undefined && !fitsPattern(pattern, value)) {
    throw new CommandError('record_invalid', `the value of ${name} has the wrong format: it must ${format}`);
  }
  return value;
}

function prove(template: ProviderTemplate, fields: Readonly<Record<string, Secret>>, prepare: PrepareInjection): void {
  try {
    prepare(template, fields);
  } catch (cause) {
    if (cause instanceof CommandError) throw cause;
    throw new CommandError('record_invalid', `the credential cannot be injected as provider ${template.slug} says`, { cause });
  }
}
