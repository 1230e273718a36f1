import type { Derivation } from './derivation.ts';
import { derivationFormats, derivedFields } from './derived-fields.ts';
import type { ProviderDocument } from './document.ts';
import { fieldReferences, hasStrayBrace } from './format.ts';
import { ruleFormats } from './rules.ts';
import type { ProviderTemplate } from './template.ts';
import { urlFault } from './url-template.ts';

/** Throws `config_invalid` for a derivation that cannot work, at the place where it stands. */
export function checkDerivation(document: ProviderDocument, template: ProviderTemplate): void {
  const { derive } = template;
  if (derive === undefined) return;
  const fault = derivationFault({ ...template, derive });
  if (fault === undefined) return;
  const member = fault.member.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  throw document.error(['derive', derive.kind, ...(member === '' ? [] : member.split('.'))], fault.what);
}

/** What is wrong with the derivation of a provider, and at which member; undefined when nothing is. */
export function derivationFault(
  template: ProviderTemplate & { readonly derive: Derivation },
): { readonly member: string; readonly what: string } | undefined {
  const { derive, fields, inject } = template;
  for (const { member, text, optional, form } of derivationFormats(derive)) {
    const what = form === 'url' ? urlFault(text, fields) : formatFault(template, text, optional);
    if (what !== undefined) return { member, what };
  }
  const derived = derivedFields(derive);
  const doubled = derived.find((name) => Object.hasOwn(fields, name));
  if (doubled !== undefined) return { member: '', what: `yields ${doubled}, which is the name of a field; rename the field` };
  const injected = new Set(inject.flatMap(ruleFormats).flatMap(fieldReferences));
  if (inject.some(({ kind }) => kind !== 'default_header') && !derived.some((name) => injected.has(name))) {
    return { member: '', what: `is used by no rule; write {${derived[0] ?? ''}} where it belongs` };
  }
  return kindFault(derive);
}

function formatFault({ fields }: ProviderTemplate, format: string, optional: boolean): string | undefined {
  const known = Object.keys(fields).join(', ');
  if (hasStrayBrace(format)) return `has a brace that is not part of a {field}; known fields: ${known}`;
  const references = fieldReferences(format);
  const unknown = references.find((name) => !Object.hasOwn(fields, name));
  if (unknown !== undefined) return `refers to the field ${unknown}, which does not exist; known fields: ${known}`;
  const open = optional ? undefined : references.find((name) => fields[name]?.optional === true);
  return open === undefined ? undefined : `refers to ${open}, which is optional, and it is not`;
}

function kindFault(derive: Derivation): { readonly member: string; readonly what: string } | undefined {
  if (derive.kind === 'oauth2_refresh_token' && !/^\{[^{}]*\}$/.test(derive.refreshToken)) {
    return { member: 'refreshToken', what: 'must be one field and nothing else: a new token is stored in its place' };
  }
  if (derive.kind !== 'google_service_account') return undefined;
  const parts = derive.clientEmail !== undefined && derive.privateKey !== undefined;
  const half = derive.clientEmail !== undefined || derive.privateKey !== undefined;
  if ((derive.serviceAccount === undefined) !== parts || (derive.serviceAccount !== undefined && half)) {
    return { member: '', what: 'needs either service_account, or client_email and private_key' };
  }
  if ((derive.scope === undefined) === (derive.targetAudience === undefined)) {
    return { member: '', what: 'needs either scope or target_audience' };
  }
  return undefined;
}
