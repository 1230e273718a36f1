/** Contract: bytes of bodies that pass have the young generation collected, and it does not grow past 8 MiB however much survives. */
import v8 from 'node:v8';
import { PerformanceObserver, constants, type PerformanceEntry } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { bodyBytesPassed } from '../../../src/cli/young-generation.ts';
import { eventually } from '../../support/eventually.ts';

const MIB = 1024 * 1024;

function forcedCollections(): { count: () => number; stop: () => void } {
  let count = 0;
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { kind, flags } = (entry as PerformanceEntry & { readonly detail: { readonly kind: number; readonly flags: number } }).detail;
      if (kind === constants.NODE_PERFORMANCE_GC_MINOR && flags === constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) count += 1;
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  return { count: () => count, stop: () => observer.disconnect() };
}

test.serial('8 MiB of bodies are collected once, however they come', async (t) => {
  const collections = forcedCollections();
  for (let i = 0; i < 127; i += 1) bodyBytesPassed(MIB / 16);
  await delay(20);
  t.is(collections.count(), 0);
  bodyBytesPassed(MIB / 16);
  await eventually(() => (collections.count() === 1 ? true : undefined), 'collected once');
  bodyBytesPassed(20 * MIB);
  await eventually(() => (collections.count() === 2 ? true : undefined), 'collected twice');
  collections.stop();
});

test.serial('the young generation grows to 8 MiB and no further', async (t) => {
  const kept: object[] = [];
  const size = () => v8.getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0;
  for (let round = 0; round < 12; round += 1) {
    for (let i = 0; i < 100_000; i += 1) kept.push({ i });
    await delay(100);
  }
  t.is(kept.length, 1_200_000);
  t.is(size(), 8 * MIB);
});
