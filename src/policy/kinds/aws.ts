import { requestActions } from '../../aws/action.ts';
import { clientSignature } from '../../aws/client-signature.ts';
import { resolveScope, type AwsScope } from '../../aws/scope.ts';
import { AlterError } from '../../errors.ts';
import { RuleFault, onlyMembers, textsAt } from '../fault.ts';
import type { RuleKind } from '../rule-kind.ts';
import type { PolicyFacts } from '../rules.ts';

const MEMBERS = ['services', 'regions', 'actions'] as const;
const WORD = /^[A-Za-z0-9][A-Za-z0-9-]{0,63}\*?$|^\*$/;
const ACTION = /^[A-Za-z0-9][A-Za-z0-9-]{0,63}:[A-Za-z0-9]{0,128}\*?$/;

/**
 * `services`, `regions`, `actions`: what a request to AWS may be for; a star at the end stands for anything. Service and region are those
 * that the request is signed for, by its host or by the client; a request that does not say them, or does not say its action, does not pass
 * a rule that asks for it.
 */
export const aws: RuleKind = {
  kind: 'aws',
  compile(rule) {
    onlyMembers(rule, MEMBERS);
    if (MEMBERS.every((member) => rule[member] === undefined)) throw new RuleFault([], `needs one of ${MEMBERS.join(', ')}`);
    const services = textsAt(rule, 'services', 'a signing name of AWS, such as s3 or dynamodb', (text) => WORD.test(text));
    const regions = textsAt(rule, 'regions', 'a region, such as eu-central-1 or eu-*', (text) => WORD.test(text));
    const actions = textsAt(rule, 'actions', 'a service and an action, such as dynamodb:Get*', isActionPattern);
    return {
      type: 'check',
      requires: describe({ services, regions, actions }),
      ...(actions === undefined ? {} : { readsForm: true }),
      passes: (facts) => {
        const scope = scopeOf(facts);
        if (scope === undefined) return false;
        return (
          isAllowed(services, [scope.service]) && isAllowed(regions, scope.regions) && isAllowed(actions, actionsOf(actions, scope, facts))
        );
      },
    };
  },
};

function isActionPattern(text: string): boolean {
  return ACTION.test(text) && !text.endsWith(':');
}

/** What the request is signed for; undefined where it contradicts itself or does not say. */
function scopeOf({ host, headers, query }: PolicyFacts): AwsScope | undefined {
  try {
    return resolveScope(host, clientSignature(headers, query));
  } catch (error) {
    if (error instanceof AlterError) return undefined;
    throw error;
  }
}

function actionsOf(wanted: readonly string[] | undefined, { service }: AwsScope, facts: PolicyFacts): readonly string[] {
  return wanted === undefined ? [] : (requestActions(service, facts) ?? []);
}

/** Whether every one of `found` is allowed, and there is one. */
function isAllowed(patterns: readonly string[] | undefined, found: readonly string[]): boolean {
  if (patterns === undefined) return true;
  return found.length > 0 && found.every((text) => patterns.some((pattern) => matches(pattern, text)));
}

function matches(pattern: string, text: string): boolean {
  return pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : text === pattern;
}

function describe(lists: Readonly<Record<(typeof MEMBERS)[number], readonly string[] | undefined>>): string {
  const words = { services: 'the AWS service is', regions: 'the AWS region is', actions: 'the AWS action is' } as const;
  return MEMBERS.flatMap((member) => {
    const list = lists[member];
    return list === undefined ? [] : [`${words[member]} ${list.join(' or ') || 'none'}`];
  }).join(', and ');
}
