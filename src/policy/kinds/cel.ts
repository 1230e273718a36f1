import { longestRequest } from '../cel-cost.ts';
import { celEnvironment, celVariables } from '../cel-environment.ts';
import { RuleFault, onlyMembers, textAt } from '../fault.ts';
import type { RuleKind } from '../rule-kind.ts';
import type { PolicyFacts } from '../rules.ts';

const MAX_LENGTH = 1024;

/** `expression`: an expression in CEL that must be true. It is checked when it is stored; by its form it says how long a request may be. */
export const cel: RuleKind = {
  kind: 'cel',
  compile(rule) {
    onlyMembers(rule, ['expression']);
    const right = `an expression of at most ${String(MAX_LENGTH)} characters`;
    const expression = textAt(rule, 'expression', right, (text) => text.trim() !== '' && text.length <= MAX_LENGTH);
    if (expression === undefined) throw new RuleFault(['expression'], 'is missing');
    const { evaluate, longest } = compileExpression(expression);
    const withQuery = expression.includes('query');
    return {
      type: 'check',
      requires: `the expression is true: ${expression.replace(/\s+/g, ' ').trim()}`,
      passes: (facts) => {
        if (lengthOf(facts, withQuery) > longest) throw new Error('path, query, reason and context are too long for this expression');
        const variables = celVariables(facts, withQuery);
        let result: unknown;
        const { stackTraceLimit } = Error;
        // The library makes an error of each key that is not there, also where `||` or a macro catches it; most of its cost is the trace.
        Error.stackTraceLimit = 0;
        try {
          result = evaluate(variables);
        } catch (error) {
          throw failureOf(expression, error);
        } finally {
          Error.stackTraceLimit = stackTraceLimit;
        }
        if (typeof result !== 'boolean') throw new Error('the expression has no boolean value');
        return result;
      },
    };
  },
};

type Evaluate = ReturnType<typeof celEnvironment.parse>;

function compileExpression(expression: string): { readonly evaluate: Evaluate; readonly longest: number } {
  let evaluate: Evaluate;
  try {
    evaluate = celEnvironment.parse(expression);
  } catch (error) {
    throw faultOf(expression, error);
  }
  const longest = longestRequest(evaluate.ast, (node, what) => {
    throw new RuleFault(['expression'], `${what}${placeOf(expression, node.start)}`);
  });
  const checked = evaluate.check();
  if (!checked.valid) throw faultOf(expression, checked.error);
  if (checked.type !== 'bool') throw new RuleFault(['expression'], `must be true or false, and is ${String(checked.type)}`);
  return { evaluate, longest };
}

/** Characters of the texts that the client chooses, as far as the expression looks at them. */
function lengthOf({ path, query = '', reason = '', context = {} }: PolicyFacts, withQuery: boolean): number {
  let length = path.length + (withQuery ? query.length : 0) + reason.length;
  for (const name in context) length += name.length + (context[name]?.length ?? 0);
  return length;
}

/** What failed and where, and no value of the request, which the library's own message may hold. */
function failureOf(expression: string, error: unknown): Error {
  const { code, range } = error as { readonly code?: unknown; readonly range?: { readonly start: number } };
  const what = typeof code === 'string' ? code.replaceAll('_', ' ') : 'the expression cannot be evaluated';
  return new Error(`${what}${placeOf(expression, range?.start)}`);
}

/** What the library says of its own: what is wrong, on the first line, and where. */
function faultOf(expression: string, error: unknown): RuleFault {
  const { message, range } = error as { readonly message?: string; readonly range?: { readonly start: number } };
  return new RuleFault(['expression'], `${message?.split('\n')[0] ?? 'is not CEL'}${placeOf(expression, range?.start)}`);
}

function placeOf(expression: string, start: number | undefined): string {
  if (start === undefined) return '';
  const before = expression.slice(0, start).split('\n');
  return ` (line ${String(before.length)}, column ${String((before.at(-1) ?? '').length + 1)} of the expression)`;
}
