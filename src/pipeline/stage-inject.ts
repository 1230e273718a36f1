import { AlterError } from '../errors.ts';
import type { PreparedInjection } from '../inject/injector.ts';
import { matchSlot } from '../inject/slot.ts';
import type { MaybePromise } from '../message/maybe-promise.ts';
import { findPlaceholders } from '../message/placeholder.ts';
import { copyOf, draftOf } from './draft-body.ts';
import type { Exchange } from './exchange.ts';
import { CONTINUE } from './stage.ts';
import type { Stage } from './stage.ts';

/** Writes the credential into the outbound request. */
export function injectStage(): Stage {
  return {
    name: 'inject',
    run(exchange) {
      const { resolved, placeholders } = exchange;
      if (resolved === undefined) return CONTINUE;
      if (!matchSlot(resolved.injection, placeholders)) throw notReplaced();
      if (exchange.waited || mayBeInjectedAnew(resolved.injection)) exchange.uninjected = copyOf(exchange.outbound);
      const injected = inject(exchange, resolved.injection);
      return injected instanceof Promise ? injected.then(() => CONTINUE) : CONTINUE;
    },
  };
}

/** After an answer that asks for it, or because the secret is another one after the wait for a token or for the body. */
function mayBeInjectedAnew({ refreshAfter, readsBody }: PreparedInjection): boolean {
  return refreshAfter !== undefined || readsBody === true;
}

/** Injects anew, into the request as it was before. Throws or rejects with AlterError as the stage does. */
export function injectAgain(exchange: Exchange): MaybePromise<void> {
  const { resolved, uninjected } = exchange;
  if (resolved === undefined || uninjected === undefined) throw new Error('nothing was kept for another injection');
  exchange.outbound = copyOf(uninjected);
  return inject(exchange, resolved.injection);
}

function inject(exchange: Exchange, injection: PreparedInjection): MaybePromise<void> {
  if (injection.readsBody === true && exchange.body !== undefined) exchange.outbound = draftOf(exchange.outbound, exchange.body);
  const applied = injection.apply(exchange.outbound);
  if (applied instanceof Promise) return injectedLater(exchange, injection, applied);
  injected(exchange, injection);
}

function injectedLater(exchange: Exchange, injection: PreparedInjection, applied: Promise<void>): Promise<void> {
  return applied.then(() => {
    injected(exchange, injection);
  });
}

function injected(exchange: Exchange, { writes }: PreparedInjection): void {
  checkReplaced(exchange);
  exchange.injected = writes;
}

/** A placeholder that is still there after injection would reach the provider. */
function checkReplaced({ placeholders, outbound }: Exchange): void {
  if (placeholders.length > 0 && findPlaceholders(outbound.headers, outbound.url).length > 0) throw notReplaced();
}

function notReplaced(): AlterError {
  return new AlterError('placeholder_not_replaced');
}
