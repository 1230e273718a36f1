import { DERIVATION_MEMBERS } from './derivation.ts';
import type { Derivation, FormatMap, MemberForm } from './derivation.ts';
import { fieldReferences } from './format.ts';
import { hostFields } from './host-template.ts';
import { ruleFormats } from './rules.ts';
import type { ProviderTemplate } from './template.ts';

/** One format of a derivation. */
export interface FormatMember {
  readonly member: string;
  readonly text: string;
  readonly optional: boolean;
  readonly form: MemberForm;
}

/** Every format of a derivation. */
export function derivationFormats(derive: Derivation): FormatMember[] {
  const values = derive as unknown as Readonly<Record<string, unknown>>;
  return Object.entries<MemberForm>(DERIVATION_MEMBERS[derive.kind]).flatMap(([key, form]): FormatMember[] => {
    const member = key.replace('?', '');
    const value = values[member];
    if (form === 'map') {
      const entries = Object.entries((value ?? {}) as FormatMap);
      return entries.map(([name, text]) => ({ member: `${member}.${name}`, text, optional: true, form }));
    }
    return typeof value === 'string' && form !== 'auth' ? [{ member, text: value, optional: key.endsWith('?'), form }] : [];
  });
}

/** The names of what a derivation yields, for inject rules. */
export function derivedFields(derive: Derivation | undefined): readonly string[] {
  if (derive === undefined) return [];
  if (derive.kind === 'sts_assume_role') return ['access_key_id', 'secret_access_key', 'session_token'];
  return derive.kind === 'google_service_account' && derive.targetAudience !== undefined ? ['id_token'] : ['access_token'];
}

/** The stored fields that inject rules and the derivation refer to, each once. */
export function usedFields({ inject, derive }: Pick<ProviderTemplate, 'inject' | 'derive'>): string[] {
  const derived = derivedFields(derive);
  const injected = inject.flatMap(ruleFormats).flatMap(fieldReferences);
  const exchanged = derive === undefined ? [] : derivationFormats(derive).flatMap(({ text }) => fieldReferences(text));
  return [...new Set([...injected.filter((field) => !derived.includes(field)), ...exchanged])];
}

/** The stored fields that no secret of the provider can do without. */
export function neededFields(template: Pick<ProviderTemplate, 'inject' | 'derive' | 'fields'>): string[] {
  return usedFields(template).filter((name) => template.fields[name]?.optional !== true);
}

/** The stored fields that say to whom the credential goes: those that hosts and URLs refer to. They stay when a secret is rotated. */
export function tenantFields(template: Pick<ProviderTemplate, 'hosts' | 'derive'>): string[] {
  const formats = template.derive === undefined ? [] : derivationFormats(template.derive);
  const urls = formats.filter(({ form }) => form === 'url').flatMap(({ text }) => fieldReferences(text));
  return [...new Set([...hostFields(template), ...urls])];
}
