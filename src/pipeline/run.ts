import { AlterError } from '../errors.ts';
import type { MaybePromise } from '../message/maybe-promise.ts';
import type { Exchange } from './exchange.ts';
import type { Stage, StageAnswer } from './stage.ts';

/**
 * Runs the stages in order until one rejects. Returns the refusal, or undefined when the request may go; awaits only
 * when a stage does. Whatever is thrown refuses: an error that is no AlterError becomes `internal_error`.
 */
export function runStages(stages: readonly Stage[], exchange: Exchange): MaybePromise<AlterError | undefined> {
  return runFrom(0, stages, exchange);
}

function runFrom(index: number, stages: readonly Stage[], exchange: Exchange): MaybePromise<AlterError | undefined> {
  for (let i = index; i < stages.length; i += 1) {
    const stage = stages[i];
    if (stage === undefined) break;
    exchange.stages.push(stage.name);
    let answer: MaybePromise<StageAnswer>;
    try {
      answer = stage.run(exchange);
    } catch (error) {
      return refusal(error);
    }
    if (answer instanceof Promise) {
      exchange.waitsIn = stage.name;
      exchange.waited = true;
      return answer.then((later) => {
        exchange.waitsIn = undefined;
        return later.answer === 'reject' ? later.error : runFrom(i + 1, stages, exchange);
      }, refusal);
    }
    if (answer.answer === 'reject') return answer.error;
  }
  return undefined;
}

/** What is thrown, as a refusal: an error that is no AlterError becomes `internal_error`. */
export function refusal(error: unknown): AlterError {
  return error instanceof AlterError ? error : new AlterError('internal_error', { cause: error });
}
