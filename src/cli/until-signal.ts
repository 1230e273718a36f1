import { constants } from 'node:os';

/** A promise of the first of some signals. */
export interface SignalWait {
  /** 128 + n for signal n, as shells count. */
  readonly signal: Promise<number>;
  /** Gives the signals back their usual effect. */
  release(): void;
}

/** Waits for the first of `signals` in place of their usual effect; a second one ends the process as usual. */
export function untilSignal(signals: readonly NodeJS.Signals[]): SignalWait {
  const handlers = new Map<NodeJS.Signals, () => void>();
  const release = () => {
    for (const [name, handler] of handlers) process.off(name, handler);
  };
  const signal = new Promise<number>((resolve) => {
    for (const name of signals) {
      handlers.set(name, () => {
        release();
        resolve(128 + constants.signals[name]);
      });
    }
  });
  for (const [name, handler] of handlers) process.on(name, handler);
  return { signal, release };
}

/**
 * Hands each value of `next` to `take` until `end` resolves, and resolves with what it gives; rejects as the three do. Waits for `end` once: a
 * wait for each value would be kept until the end comes.
 */
export async function takeUntil<V, E>(end: Promise<E>, next: () => Promise<V>, take: (value: V) => void): Promise<E> {
  let over = false;
  const taking = async (): Promise<E> => {
    for (;;) {
      const value = await next();
      if (over) return end;
      take(value);
    }
  };
  try {
    return await Promise.race([end, taking()]);
  } finally {
    over = true;
  }
}
