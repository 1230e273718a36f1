import { AlterError } from '../errors.ts';
import { matchSlot } from '../inject/slot.ts';
import { chain } from '../message/maybe-promise.ts';
import { findPlaceholders } from '../message/placeholder.ts';
import type { Exchange } from './exchange.ts';
import { CONTINUE } from './stage.ts';
import type { Stage } from './stage.ts';

/** Writes the credential into the outbound request. */
export function injectStage(): Stage {
  return {
    name: 'inject',
    run(exchange) {
      const { resolved, outbound, placeholders } = exchange;
      if (resolved === undefined) return CONTINUE;
      if (!matchSlot(resolved.injection, placeholders)) throw notReplaced();
      return chain(resolved.injection.apply(outbound), () => {
        checkReplaced(exchange);
        exchange.injected = resolved.injection.writes;
        return CONTINUE;
      });
    },
  };
}

/** A placeholder that is still there after injection would reach the provider. */
function checkReplaced({ placeholders, outbound }: Exchange): void {
  if (placeholders.length > 0 && findPlaceholders(outbound.headers, outbound.url).length > 0) throw notReplaced();
}

function notReplaced(): AlterError {
  return new AlterError('placeholder_not_replaced');
}
