import { CommandError } from '../../errors.ts';
import { fieldReferences, renderFormat } from '../../providers/format.ts';
import type { FormatMap } from '../../providers/derivation.ts';
import type { ProviderTemplate } from '../../providers/template.ts';
import { renderUrl } from '../../providers/url-template.ts';
import { reveal, type Secret } from '../../secret/reveal.ts';

/** The stored values of one secret, as the formats of a derivation take them. Throws CommandError `record_invalid`, which holds no value. */
export class StoredValues {
  readonly #declared: ProviderTemplate['fields'];
  readonly #fields: Readonly<Record<string, Secret>>;

  constructor(declared: ProviderTemplate['fields'], fields: Readonly<Record<string, Secret>>) {
    this.#declared = declared;
    this.#fields = fields;
  }

  /** `format` filled in. */
  text(format: string): string {
    return renderFormat(format, (name) => this.#value(name));
  }

  /** The same, or undefined without a format, or when it refers to an optional field that the secret does not have. */
  optional(format: string | undefined): string | undefined {
    const absent = (name: string): boolean => this.#declared[name]?.optional === true && !Object.hasOwn(this.#fields, name);
    return format === undefined || fieldReferences(format).some(absent) ? undefined : this.text(format);
  }

  /** The entries whose fields are there. */
  map(formats: FormatMap | undefined): (readonly [string, string])[] {
    return Object.entries(formats ?? {}).flatMap(([name, format]) => {
      const value = this.optional(format);
      return value === undefined ? [] : [[name, value] as const];
    });
  }

  url(template: string): string {
    const rendered = renderUrl(template, this.#declared, (name) => this.#value(name));
    if ('url' in rendered) return rendered.url;
    throw new CommandError('record_invalid', `the value of ${rendered.field} ${rendered.fault}`);
  }

  #value(name: string): string {
    const secret = Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined;
    if (secret === undefined) throw new CommandError('record_invalid', `the field ${name} is missing`);
    return reveal(secret);
  }
}
