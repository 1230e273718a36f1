import { CommandError } from '../errors.ts';
import type { MaybePromise } from '../message/maybe-promise.ts';
import type { InjectionRule, ProviderTemplate } from '../providers/template.ts';
import type { Secret } from '../secret/reveal.ts';
import { prepareBasic } from './basic.ts';
import { prepareBasicEncoded } from './basic-encoded.ts';
import { prepareBearer } from './bearer.ts';
import { prepareCookie } from './cookie.ts';
import { Credential } from './credential.ts';
import { prepareDefaultHeader } from './default-header.ts';
import { prepareHeader } from './header.ts';
import type { Draft, PreparedInjection } from './injector.ts';
import { preparePath } from './path.ts';
import type { PreparedRule } from './prepared-rule.ts';
import { prepareQuery } from './query.ts';
import { makeScrubber } from './scrubber.ts';

/**
 * Fills the rules of a provider with the values of one secret. Everything that is written is made here, once; the result holds the
 * credential in closures only. Throws `record_invalid` when a value is missing or cannot be sent; the message never holds a value.
 */
export function prepareInjection(template: ProviderTemplate, fields: Readonly<Record<string, Secret>>): PreparedInjection {
  const credential = new Credential(template, fields);
  const rules = template.inject.map((rule) => prepareRule(rule, credential));
  const writes = rules.flatMap(({ place }) => place ?? []);
  if (new Set(writes).size !== writes.length) throw new CommandError('record_invalid', 'two rules of the provider write to the same place');
  const scrub = makeScrubber(
    credential.hiddenValues(),
    rules.flatMap(({ sensitive }) => sensitive),
  );
  const redactPath = rules.find((rule) => rule.redactPath !== undefined)?.redactPath;
  return Object.freeze({
    writes: Object.freeze(writes),
    apply: (draft: Draft) => applyFrom(rules, 0, draft),
    scrub,
    ...(redactPath === undefined ? {} : { redactPath }),
  });
}

function prepareRule(rule: InjectionRule, credential: Credential): PreparedRule {
  switch (rule.kind) {
    case 'bearer':
      return prepareBearer(rule, credential);
    case 'header':
      return prepareHeader(rule, credential);
    case 'basic':
      return prepareBasic(rule, credential);
    case 'basic_encoded':
      return prepareBasicEncoded(rule, credential);
    case 'query':
      return prepareQuery(rule, credential);
    case 'cookie':
      return prepareCookie(rule, credential);
    case 'path':
      return preparePath(rule, credential);
    case 'default_header':
      return prepareDefaultHeader(rule);
    default:
      throw new CommandError('record_invalid', 'the provider has an injection rule that this version does not know');
  }
}

/** Applies the rules in order; awaits only after a rule that has to. */
function applyFrom(rules: readonly PreparedRule[], start: number, draft: Draft): MaybePromise<void> {
  for (let i = start; i < rules.length; i += 1) {
    const pending = rules[i]?.apply(draft);
    if (pending instanceof Promise) return pending.then(() => applyFrom(rules, i + 1, draft));
  }
}
