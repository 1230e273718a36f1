import { decodeComponent, parameterName } from '../../message/query.ts';
import { RuleFault, onlyMembers, textsAt } from '../fault.ts';
import type { RuleMembers } from '../fault.ts';
import type { RuleKind } from '../rule-kind.ts';

const MEMBERS = ['allow', 'require', 'forbid', 'values'] as const;

/** One parameter, decoded. */
interface Parameter {
  readonly name: string;
  readonly value: string;
}

/**
 * `allow`: the only names that may occur; `require`: names that must; `forbid`: names that must not; `values`: for a name, what it may be,
 * each time it occurs. Names are compared after decoding; a semicolon counts as a separator, too, because some servers take it for one.
 */
export const query: RuleKind = {
  kind: 'query',
  compile(rule) {
    onlyMembers(rule, MEMBERS);
    if (MEMBERS.every((member) => rule[member] === undefined)) throw new RuleFault([], `needs one of ${MEMBERS.join(', ')}`);
    const name = 'the name of a query parameter';
    const allow = setOf(textsAt(rule, 'allow', name));
    const require = textsAt(rule, 'require', name) ?? [];
    const forbid = setOf(textsAt(rule, 'forbid', name));
    const values = valuesAt(rule);
    const fits = (parameter: Parameter): boolean =>
      allow?.has(parameter.name) !== false &&
      forbid?.has(parameter.name) !== true &&
      values.get(parameter.name)?.has(parameter.value) !== false;
    return {
      type: 'check',
      requires: describe(rule, values),
      passes: (facts) => {
        const parameters = parametersOf(facts.query);
        return parameters.every(fits) && require.every((needed) => parameters.some((parameter) => parameter.name === needed));
      },
    };
  },
};

function setOf(names: readonly string[] | undefined): ReadonlySet<string> | undefined {
  return names === undefined ? undefined : new Set(names);
}

function valuesAt(rule: RuleMembers): ReadonlyMap<string, ReadonlySet<string>> {
  const value = rule['values'];
  if (value === undefined) return new Map();
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new RuleFault(['values'], 'must be a mapping of names to lists of values');
  return new Map(
    Object.keys(value).map((name) => {
      try {
        return [name, new Set(textsAt(value as RuleMembers, name, 'a text'))];
      } catch (fault) {
        throw fault instanceof RuleFault ? new RuleFault(['values', ...fault.path], fault.message) : fault;
      }
    }),
  );
}

function parametersOf(text: string | undefined): readonly Parameter[] {
  if (text === undefined || text === '') return [];
  return text
    .split(/[&;]/)
    .filter((parameter) => parameter !== '')
    .map((parameter) => {
      const equals = parameter.indexOf('=');
      return { name: parameterName(parameter), value: equals === -1 ? '' : decodeComponent(parameter.slice(equals + 1)) };
    });
}

function describe(rule: RuleMembers, values: ReadonlyMap<string, ReadonlySet<string>>): string {
  const named = (member: string, what: string): string[] => {
    const names = rule[member];
    return Array.isArray(names) ? [`${what} ${names.join(', ') || 'none'}`] : [];
  };
  return [
    ...named('allow', 'the query holds no other parameters than'),
    ...named('require', 'the query holds'),
    ...named('forbid', 'the query does not hold'),
    ...[...values].map(([name, accepted]) => `${name} is one of ${[...accepted].join(', ')}`),
  ].join(', and ');
}
