/**
 * Keeps the process small: V8's young generation from growing too far, its garbage from holding too many bytes of bodies, its old generation
 * from waiting for twice what lives before it is collected, and its compiler from threads.
 *
 * Many small objects die with each request. The larger the young generation, the less often they are collected, and the more memory the process
 * holds: from 1 MiB a half to 4 MiB the CPU of a small request falls by a seventh; from 4 to the 16 MiB to which V8 would let it grow, by
 * little more. Bodies lie outside the heap and are freed when the small objects in front of them are collected, which are so small that a
 * generation of them can hold hundreds of MiB: so the bytes that have passed say when to collect. Imported first, before anything has made the
 * young generation grow.
 */
import v8 from 'node:v8';
import vm from 'node:vm';

/** Of both halves together. */
const MAX_BYTES = 8 * 1024 * 1024;
/** The young generation doubles when as much as it holds has survived, which takes longer than this under any load seen. */
const CHECK_MS = 100;
const COLLECT_EVERY_BYTES = 4 * 1024 * 1024;

/** The old generation is collected when it has grown by so many per cent: what lives is small, so that to look at it costs little. */
const OLD_GROWTH_PERCENT = 20;

v8.setFlagsFromString(`--heap-growing-percent=${String(OLD_GROWTH_PERCENT)}`);
v8.setFlagsFromString('--semi-space-growth-factor=1');
// Threads that compile keep 6 to 9 MB of memory to themselves, and a sidecar seldom has a second core that would make code fast sooner.
v8.setFlagsFromString('--no-concurrent-recompilation');

/** Undefined until the first bytes pass: much of what a start makes survives, and would have the young generation grow past its bound at once. */
let growth: NodeJS.Timeout | undefined;
let bytesSince = 0;
let collect: (() => void) | undefined;

/** Takes note of bytes of bodies that pass through; collects the young generation when there were many. */
export function bodyBytesPassed(bytes: number): void {
  growth ??= setInterval(allowGrowth, CHECK_MS).unref();
  bytesSince += bytes;
  if (bytesSince < COLLECT_EVERY_BYTES) return;
  bytesSince = 0;
  // Not before it is needed: the context in which V8 hands out its collector costs memory of its own.
  collect ??= minorCollector();
  collect();
}

function allowGrowth(): void {
  const size = v8.getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? MAX_BYTES;
  v8.setFlagsFromString(`--semi-space-growth-factor=${2 * size <= MAX_BYTES ? '2' : '1'}`);
}

/** V8's own collector of the young generation. Node shows it only behind a flag, which contexts that are made later do not keep. */
function minorCollector(): () => void {
  v8.setFlagsFromString('--expose-gc');
  const gc = vm.runInNewContext('gc') as (options: { readonly type: 'minor' }) => void;
  v8.setFlagsFromString('--no-expose-gc');
  return () => {
    gc({ type: 'minor' });
  };
}
