import type { AlterError } from '../errors.ts';
import type { MaybePromise } from '../message/maybe-promise.ts';
import type { Exchange } from './exchange.ts';

/** What a stage says of an exchange. What it found stands in the exchange. */
export type StageAnswer = { readonly answer: 'continue' } | { readonly answer: 'reject'; readonly error: AlterError };

/** One step on the way of a request. An AlterError that is thrown counts as `reject`. */
export interface Stage {
  readonly name: string;
  run(exchange: Exchange): MaybePromise<StageAnswer>;
  /**
   * Says again and again, while the exchange goes on, whether it still may; `exchange.resolved` is the grant as it is now. It must count and
   * change nothing. Absent: what was said once holds to the end.
   */
  readonly stands?: (exchange: Exchange) => MaybePromise<StageAnswer>;
}

/** The answer that lets a request pass. */
export const CONTINUE: StageAnswer = Object.freeze({ answer: 'continue' });

/** The answer that ends a request. */
export function reject(error: AlterError): StageAnswer {
  return { answer: 'reject', error };
}
