import test from 'ava';
import { MemoryBudget } from '../../../src/message/memory-budget.ts';

test('what is taken counts until it is given back; a refusal takes nothing', (t) => {
  const budget = new MemoryBudget(10);
  t.true(budget.take(10));
  t.false(budget.take(1));
  budget.give(4);
  t.false(budget.take(5));
  t.true(budget.take(4));
  t.is(budget.used, 10);
});
