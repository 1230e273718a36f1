/**
 * Keeps the memory of bodies that stream through flat; imported first, before anything has made the heap grow. Bytes of bodies lie outside the
 * heap and are freed only when the small objects in front of them are collected.
 *
 * - V8's young generation stays at its first size (1 MiB a half): the larger it grows, the more such bytes pile up. Streaming 1 GiB through a
 *   proxy on Node 24 raised its resident memory by 67 MiB with growth, and by 20 to 34 MiB without: how far depends on how many bytes hang on
 *   the objects that fit in.
 * - So the young generation is also collected each time 8 MiB of bulky bodies have passed: then it rises by 9 MiB, on an idle machine and on a
 *   busy one. A collection takes a fraction of a millisecond, as little in it is alive.
 */
import v8 from 'node:v8';
import vm from 'node:vm';
import { freeBodyMemory } from '../message/h1/body-memory.ts';

const COLLECT_EVERY = 8 * 1024 * 1024;

v8.setFlagsFromString('--semi-space-growth-factor=1');
let collect: (() => void) | undefined;
freeBodyMemory(COLLECT_EVERY, () => {
  // Not before it is needed: the context in which V8 hands out its collector costs memory of its own.
  collect ??= minorCollector();
  collect();
});

/** V8's own collector of the young generation. Node shows it only behind a flag, which contexts that are made later do not keep. */
function minorCollector(): () => void {
  v8.setFlagsFromString('--expose-gc');
  const gc = vm.runInNewContext('gc') as (options: { readonly type: 'minor' }) => void;
  v8.setFlagsFromString('--no-expose-gc');
  return () => {
    gc({ type: 'minor' });
  };
}
