import type { ASTNode } from '@marcbachmann/cel-js';
import { celEnvironment, celVariables } from '../cel-environment.ts';
import { RuleFault, onlyMembers, textAt } from '../fault.ts';
import type { RuleKind } from '../rule-kind.ts';

const MAX_LENGTH = 1024;
/** Each goes over a list; one within another would multiply the cost. */
const MACROS: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);

/** `expression`: an expression in CEL that must be true. It is checked when it is stored, and its cost is bounded by its form. */
export const cel: RuleKind = {
  kind: 'cel',
  compile(rule) {
    onlyMembers(rule, ['expression']);
    const right = `an expression of at most ${String(MAX_LENGTH)} characters`;
    const expression = textAt(rule, 'expression', right, (text) => text.trim() !== '' && text.length <= MAX_LENGTH);
    if (expression === undefined) throw new RuleFault(['expression'], 'is missing');
    const evaluate = compileExpression(expression);
    const withQuery = expression.includes('query');
    return {
      type: 'check',
      requires: `the expression is true: ${expression.replace(/\s+/g, ' ').trim()}`,
      passes: (facts) => {
        const result: unknown = evaluate(celVariables(facts, withQuery));
        if (typeof result !== 'boolean') throw new Error('the expression has no boolean value');
        return result;
      },
    };
  },
};

type Evaluate = ReturnType<typeof celEnvironment.parse>;

function compileExpression(expression: string): Evaluate {
  let parsed: Evaluate;
  try {
    parsed = celEnvironment.parse(expression);
  } catch (error) {
    throw faultOf(expression, error);
  }
  checkCost(expression, parsed.ast, false);
  const checked = parsed.check();
  if (!checked.valid) throw faultOf(expression, checked.error);
  if (checked.type !== 'bool') throw new RuleFault(['expression'], `must be true or false, and is ${String(checked.type)}`);
  return parsed;
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

/** Refuses what would cost more than its length says. */
function checkCost(expression: string, node: ASTNode, withinMacro: boolean): void {
  const refuse = (what: string): never => {
    throw new RuleFault(['expression'], `${what}${placeOf(expression, node.start)}`);
  };
  let inside = withinMacro;
  if (node.op === 'rcall' || node.op === 'call') {
    const [name] = node.args;
    if (name === 'matches') refuse('uses matches(), whose cost has no bound; use startsWith, endsWith, contains or ==');
    if (node.op === 'rcall' && /^get[A-Z]/.test(name) && node.args[2].length > 0)
      refuse(`uses ${name}() with a zone; use time.hour, time.minute or time.weekday`);
    if (node.op === 'rcall' && MACROS.has(name)) {
      if (withinMacro) refuse(`uses ${name}() within another one`);
      inside = true;
    }
  }
  for (const child of childrenOf(node)) checkCost(expression, child, inside);
}

function childrenOf(node: ASTNode): readonly ASTNode[] {
  return [node.args].flat(3).filter((part): part is ASTNode => typeof part === 'object' && part !== null && 'op' in part);
}
