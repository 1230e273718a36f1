import { AlterError } from '../errors.ts';
import type { MaybePromise } from '../message/maybe-promise.ts';
import type { Exchange } from './exchange.ts';
import type { Stage, StageAnswer } from './stage.ts';

/**
 * Runs an exchange through stages, in order, until one rejects. Returns the refusal, or undefined when the request may go; awaits only
 * when a stage does. Whatever is thrown refuses: an error that is no AlterError becomes `internal_error`.
 */
export type Run = (exchange: Exchange) => MaybePromise<AlterError | undefined>;

interface Step {
  readonly stage: Stage;
  /** The names of the stages up to this one: one list for all exchanges. */
  readonly passed: readonly string[];
}

/** Makes the function that runs exchanges through `stages`. */
export function prepareRun(stages: readonly Stage[]): Run {
  const names = stages.map(({ name }) => name);
  const steps = stages.map((stage, i): Step => ({ stage, passed: Object.freeze(names.slice(0, i + 1)) }));
  return (exchange) => runFrom(0, steps, exchange);
}

function runFrom(index: number, steps: readonly Step[], exchange: Exchange): MaybePromise<AlterError | undefined> {
  for (let i = index; i < steps.length; i += 1) {
    const step = steps[i];
    if (step === undefined) break;
    exchange.stages = step.passed;
    let answer: MaybePromise<StageAnswer>;
    try {
      answer = step.stage.run(exchange);
    } catch (error) {
      return refusal(error);
    }
    if (answer instanceof Promise) return wait(answer, i, steps, exchange);
    if (answer.answer === 'reject') return answer.error;
  }
  return undefined;
}

/** Goes on when the stage at `index` has answered. Apart from the loop, whose every turn would pay for the function that waits. */
function wait(answer: Promise<StageAnswer>, index: number, steps: readonly Step[], exchange: Exchange): Promise<AlterError | undefined> {
  exchange.waitsIn = steps[index]?.stage.name;
  exchange.waited = true;
  return answer.then((later) => {
    exchange.waitsIn = undefined;
    return later.answer === 'reject' ? later.error : runFrom(index + 1, steps, exchange);
  }, refusal);
}

/** What is thrown, as a refusal: an error that is no AlterError becomes `internal_error`. */
export function refusal(error: unknown): AlterError {
  return error instanceof AlterError ? error : new AlterError('internal_error', { cause: error });
}
