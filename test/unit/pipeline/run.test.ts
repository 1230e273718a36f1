/** Contract: stages run in order until one rejects, and an exchange knows which it has passed, and which it waits in. */
import test from 'ava';
import { AlterError } from '../../../src/errors.ts';
import type { MaybePromise } from '../../../src/message/maybe-promise.ts';
import type { Exchange } from '../../../src/pipeline/exchange.ts';
import { prepareRun } from '../../../src/pipeline/run.ts';
import { CONTINUE, reject, type Stage, type StageAnswer } from '../../../src/pipeline/stage.ts';

const REFUSED = new AlterError('policy_violation');

function stage(name: string, run: (exchange: Exchange) => MaybePromise<StageAnswer> = () => CONTINUE): Stage {
  return { name, run };
}

function newExchange(): Exchange {
  return { stages: [], waitsIn: undefined, waited: false } as unknown as Exchange;
}

test('the names of the stages that were passed are one list for all exchanges, which nobody can write into', (t) => {
  const run = prepareRun([
    stage('one'),
    stage('two', (exchange) => (exchange.form === undefined ? CONTINUE : reject(REFUSED))),
    stage('three'),
  ]);
  const [first, second, refused] = [newExchange(), newExchange(), newExchange()];
  refused.form = 'x';
  t.is(run(first), undefined);
  t.is(run(second), undefined);
  t.is(run(refused), REFUSED);
  t.deepEqual(first.stages, ['one', 'two', 'three']);
  t.is(second.stages, first.stages);
  t.true(Object.isFrozen(first.stages));
  t.deepEqual(refused.stages, ['one', 'two']);
  t.false(first.waited);
});

test('a stage that answers later is waited for, and those behind it run then', async (t) => {
  const later = (answer: StageAnswer) => stage('later', () => Promise.resolve(answer));
  const exchange = newExchange();
  const running = prepareRun([stage('first'), later(CONTINUE), stage('last')])(exchange);
  t.deepEqual([exchange.stages, exchange.waitsIn, exchange.waited], [['first', 'later'], 'later', true]);
  t.is(await running, undefined);
  t.deepEqual([exchange.stages, exchange.waitsIn, exchange.waited], [['first', 'later', 'last'], undefined, true]);

  const refused = newExchange();
  t.is(await prepareRun([later(reject(REFUSED)), stage('last')])(refused), REFUSED);
  t.deepEqual(refused.stages, ['later']);
});

test('what is thrown refuses, at once or later', async (t) => {
  const broken = (): never => {
    throw new TypeError('broken');
  };
  const thrown = await prepareRun([stage('one', broken), stage('two')])(newExchange());
  const rejected = await prepareRun([stage('one', () => Promise.resolve().then(broken)), stage('two')])(newExchange());
  const known = await prepareRun([
    stage('one', () => {
      throw REFUSED;
    }),
  ])(newExchange());
  t.deepEqual([thrown?.code, rejected?.code, known], ['internal_error', 'internal_error', REFUSED]);
});
