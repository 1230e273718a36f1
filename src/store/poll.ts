import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Calls `read` until it returns something, `waitMs` have passed or `signal` is aborted; then returns what the last call
 * gave. Rejects as `read` does.
 */
export async function pollUntilSome<T>(
  read: () => readonly T[] | Promise<readonly T[]>,
  options: { readonly waitMs: number; readonly everyMs: number; readonly signal: AbortSignal },
): Promise<readonly T[]> {
  const deadline = performance.now() + options.waitMs;
  for (;;) {
    const found = await read();
    const leftMs = deadline - performance.now();
    if (found.length > 0 || leftMs <= 0 || options.signal.aborted) return found;
    await pause(Math.min(options.everyMs, leftMs), options.signal);
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
