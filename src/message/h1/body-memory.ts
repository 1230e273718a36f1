/**
 * Bytes of bodies lie outside the JavaScript heap until the small objects in front of them are collected, and the collector does not see how
 * much hangs on each. Who runs the process can therefore have the memory of bodies freed each time so many bytes have passed.
 */
let free: (() => void) | undefined;
let interval = 0;
let passed = 0;

/** Has `release` called each time another `everyBytes` of bulky bodies have passed; it must not throw. Undefined: never again. */
export function freeBodyMemory(everyBytes: number, release: (() => void) | undefined): void {
  free = release;
  interval = everyBytes;
  passed = 0;
}

/** Counts bytes of a bulky body that were handed to a socket. */
export function bulkPassed(bytes: number): void {
  if (free === undefined) return;
  passed += bytes;
  if (passed < interval) return;
  passed = 0;
  free();
}
