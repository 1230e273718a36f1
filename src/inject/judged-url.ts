import { otherParameters } from '../message/query.ts';
import type { InjectionRule } from '../providers/template.ts';
import type { UrlJudgement } from './injector.ts';
import { pathWithoutCredential } from './path.ts';

/**
 * A function that leaves out of a URL what `rules` write there, whoever wrote something in its place: one request is one URL for the rules of a
 * policy, with and without it. Undefined when they write nothing into the URL.
 */
export function urlJudgement(rules: readonly InjectionRule[]): UrlJudgement | undefined {
  const [pathRule] = rules.filter((rule) => rule.kind === 'path');
  const judgedPath = pathRule === undefined ? undefined : pathWithoutCredential(pathRule);
  const names = new Set(rules.flatMap(parametersOf));
  if (judgedPath === undefined && names.size === 0) return undefined;
  return ({ path, query }) => ({
    path: judgedPath?.(path) ?? path,
    query: names.size === 0 ? query : queryWithout(query, names),
  });
}

/** Names of the query parameters that a rule writes. */
function parametersOf(rule: InjectionRule): readonly string[] {
  if (rule.kind === 'query') return [rule.name];
  return rule.kind === 'hmac' ? Object.keys(rule.query) : [];
}

function queryWithout(query: string | undefined, names: ReadonlySet<string>): string | undefined {
  const others = otherParameters(query, names);
  return others.length === 0 ? undefined : others.join('&');
}
