import { CommandError } from '../errors.ts';
import { all, chain } from '../message/maybe-promise.ts';
import type { MaybePromise } from '../message/maybe-promise.ts';
import { ruleFormats } from '../providers/rules.ts';
import type { InjectionRule, ProviderTemplate } from '../providers/template.ts';
import type { Secret } from '../secret/reveal.ts';
import { prepareBasic } from './basic.ts';
import { prepareBasicEncoded } from './basic-encoded.ts';
import { prepareBearer } from './bearer.ts';
import { prepareFormField, prepareJsonField } from './body-field.ts';
import { prepareCookie } from './cookie.ts';
import { Credential } from './credential.ts';
import { prepareDefaultHeader } from './default-header.ts';
import { prepareHeader } from './header.ts';
import { prepareHmac } from './hmac.ts';
import type { Draft, PreparedInjection } from './injector.ts';
import { urlJudgement } from './judged-url.ts';
import { preparePath } from './path.ts';
import type { PreparedRule } from './prepared-rule.ts';
import { prepareQuery } from './query.ts';
import { makeScrubber } from './scrubber.ts';
import type { ProviderClock } from './sigv4/clock.ts';
import { prepareSigV4 } from './sigv4/sigv4.ts';

/**
 * Fills the rules of a provider with the values of one secret. Everything that is written is made here, once; the result holds the
 * credential in closures only. Throws `record_invalid` when a value is missing or cannot be sent; the message never holds a value. `clock`: of
 * the provider, where it outlives these values.
 */
export function prepareInjection(
  template: ProviderTemplate,
  fields: Readonly<Record<string, Secret>>,
  clock?: ProviderClock,
): PreparedInjection {
  const credential = new Credential(template, fields);
  const written = template.inject.filter((rule) => !isLeftOut(rule, credential));
  const rules = written.map((rule) => prepareRule(rule, credential, clock));
  const writes = rules.flatMap(({ place = [] }) => place);
  if (writes.length === 0 && rules.length < template.inject.length)
    throw new CommandError('record_invalid', 'no rule of the provider has a value to write');
  if (new Set(writes).size !== writes.length) throw new CommandError('record_invalid', 'two rules of the provider write to the same place');
  const scrub = makeScrubber(
    credential.hiddenValues(),
    rules.flatMap(({ sensitive }) => sensitive),
  );
  // One rule at most writes into the path: it is one place.
  const redactPath = rules.find((rule) => rule.redactPath !== undefined)?.redactPath;
  const judgedUrl = urlJudgement(written);
  return Object.freeze({
    writes: Object.freeze(writes),
    apply: (draft: Draft) => applyFrom(rules, 0, draft),
    scrub,
    readsBody: rules.some(({ readsBody }) => readsBody === true),
    ...refreshing(rules),
    ...(redactPath === undefined ? {} : { redactPath }),
    ...(judgedUrl === undefined ? {} : { judgedUrl }),
  });
}

/** A rule for a value that the operator need not have. Those with other values of their own go without it. */
function isLeftOut(rule: InjectionRule, credential: Credential): boolean {
  return rule.kind !== 'sigv4' && credential.lacks(...ruleFormats(rule));
}

function prepareRule(rule: InjectionRule, credential: Credential, clock: ProviderClock | undefined): PreparedRule {
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
    case 'form_field':
      return prepareFormField(rule, credential);
    case 'json_field':
      return prepareJsonField(rule, credential);
    case 'hmac':
      return prepareHmac(rule, credential);
    case 'default_header':
      return prepareDefaultHeader(rule);
    case 'sigv4':
      return prepareSigV4(rule, credential, clock);
    default:
      throw new CommandError('record_invalid', 'the provider has an injection rule that this version does not know');
  }
}

/** Applies the rules in order; awaits only after a rule that has to. */
function applyFrom(rules: readonly PreparedRule[], start: number, draft: Draft): MaybePromise<void> {
  for (let i = start; i < rules.length; i += 1) {
    const pending = rules[i]?.apply(draft);
    if (pending instanceof Promise) return applyLater(pending, rules, i + 1, draft);
  }
}

/** Apart from the loop, whose every turn would pay for the function that waits. */
function applyLater(pending: Promise<void>, rules: readonly PreparedRule[], start: number, draft: Draft): Promise<void> {
  return pending.then(() => applyFrom(rules, start, draft));
}

/** Every rule is asked: each has a credential of its own to renew. */
function refreshing(rules: readonly PreparedRule[]): Pick<PreparedInjection, 'refreshAfter' | 'refusedUnprocessed'> {
  const asking = rules.filter(({ refreshAfter }) => refreshAfter !== undefined);
  if (asking.length === 0) return {};
  return {
    refreshAfter: (head, at, sent) =>
      chain(
        all(asking, ({ refreshAfter }) => refreshAfter?.(head, at, sent) ?? false),
        (answers) => answers.includes(true),
      ),
    refusedUnprocessed: asking.every(({ refusedUnprocessed }) => refusedUnprocessed === true),
  };
}
