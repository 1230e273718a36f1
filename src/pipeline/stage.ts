import type { AlterError } from '../errors.ts';
import type { MaybePromise } from '../message/maybe-promise.ts';
import type { Exchange } from './exchange.ts';

/** What a stage says of an exchange. What it found stands in the exchange. */
export type StageAnswer = { readonly answer: 'continue' } | { readonly answer: 'reject'; readonly error: AlterError };

/** One step on the way of a request. An AlterError that is thrown counts as `reject`. */
export interface Stage {
  readonly name: string;
  /** What it says holds for as long as the exchange goes on: it is asked again, and must change nothing. */
  readonly lasts?: true;
  run(exchange: Exchange): MaybePromise<StageAnswer>;
}

/** The answer that lets a request pass. */
export const CONTINUE: StageAnswer = Object.freeze({ answer: 'continue' });

/** The answer that ends a request. */
export function reject(error: AlterError): StageAnswer {
  return { answer: 'reject', error };
}
