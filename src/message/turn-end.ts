let waiting: (() => void)[] = [];
let spare: (() => void)[] = [];

/**
 * Calls `callback` once the events of this turn of the event loop have been seen. All callbacks of a turn share one immediate: hundreds of
 * connections ask in a busy turn. They must not throw: those behind would not be called.
 */
export function atTurnEnd(callback: () => void): void {
  if (waiting.length === 0) setImmediate(run);
  waiting.push(callback);
}

function run(): void {
  const callbacks = waiting;
  waiting = spare;
  for (const callback of callbacks) callback();
  callbacks.length = 0;
  spare = callbacks;
}
