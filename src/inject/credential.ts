import { CommandError } from '../errors.ts';
import { fieldReferences, renderFormat } from '../providers/format.ts';
import { ruleFormats } from '../providers/rules.ts';
import type { ProviderTemplate } from '../providers/template.ts';
import { reveal, type Secret } from '../secret/reveal.ts';

// eslint-disable-next-line no-control-regex -- finding control characters is its purpose
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/;

/** The values of one secret, ready to be put into formats. */
export class Credential {
  readonly #values = new Map<string, string>();
  readonly #hidden = new Set<string>();

  /** Throws `record_invalid` when a field that a rule needs is missing, or one holds a control character or broken text. */
  constructor({ fields: declared, inject }: Pick<ProviderTemplate, 'fields' | 'inject'>, fields: Readonly<Record<string, Secret>>) {
    for (const name of inject.flatMap(ruleFormats).flatMap(fieldReferences)) {
      if (!Object.hasOwn(fields, name) && declared[name]?.optional !== true)
        throw new CommandError('record_invalid', `the field ${name} is missing`);
    }
    for (const [name, secret] of Object.entries(fields)) {
      const value = reveal(secret);
      if (CONTROL.test(value))
        throw new CommandError('record_invalid', `the field ${name} holds a line break or another control character`);
      if (/\p{Surrogate}/u.test(value)) throw new CommandError('record_invalid', `the field ${name} is not valid Unicode text`);
      this.#values.set(name, value);
      if (!Object.hasOwn(declared, name) || declared[name]?.secret !== false) this.#hidden.add(name);
    }
  }

  /** `format` with the values filled in. */
  render(format: string): string {
    return renderFormat(format, (field) => {
      const value = this.#values.get(field);
      if (value === undefined) throw new CommandError('record_invalid', `the field ${field} is missing`);
      return value;
    });
  }

  /** As {@link Credential.render}; undefined when there is no format, or when it refers to an optional field that has no value. */
  renderOptional(format: string | undefined): string | undefined {
    return format === undefined || this.lacks(format) ? undefined : this.render(format);
  }

  /** Whether one of the formats refers to a field without a value, as an optional one may be. */
  lacks(...formats: readonly string[]): boolean {
    return formats.some((format) => fieldReferences(format).some((field) => !this.#values.has(field)));
  }

  /** Whether one of the formats holds a field that must not be shown. */
  hides(...formats: readonly string[]): boolean {
    return formats.some((format) => fieldReferences(format).some((field) => this.#hidden.has(field)));
  }

  /** The values that must not be shown. */
  hiddenValues(): string[] {
    return [...this.#hidden].map((name) => this.#values.get(name) ?? '');
  }
}
