/**
 * Contract: bytes of bodies that pass have the young generation collected, and it does not grow before the first of them passes, nor past
 * 8 MiB however much survives.
 */
import { execFile } from 'node:child_process';
import v8 from 'node:v8';
import { promisify } from 'node:util';
import { PerformanceObserver, constants, type PerformanceEntry } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { bodyBytesPassed } from '../../../src/cli/heap.ts';
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

const size = () => v8.getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0;

/**
 * Has so many objects survive that the young generation would double several times; between two looks at its size (every 100 ms), no more than
 * double it once.
 */
async function survive(): Promise<void> {
  const kept: object[][] = [];
  for (let round = 0; round < 30; round += 1) {
    kept.push(Array.from({ length: 25_000 }, (_, i) => ({ i })));
    await delay(110);
  }
}

test.serial('the young generation does not grow before bodies pass', async (t) => {
  const script = `
    import v8 from 'node:v8';
    const { bodyBytesPassed } = await import(${JSON.stringify(new URL('../../../src/cli/heap.js', import.meta.url).href)});
    const size = () => v8.getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size;
    const kept = [];
    const survive = async () => {
      for (let i = 0; i < 1_000_000; i += 1) kept.push({ i });
      await new Promise((resolve) => setTimeout(resolve, 400));
    };
    // The second half comes with the first collection.
    await survive();
    const before = size();
    await survive();
    const idle = size();
    bodyBytesPassed(1);
    await survive();
    await survive();
    console.log(JSON.stringify({ grown: idle - before, grownUnderLoad: size() - before, kept: kept.length }));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  const { grown, grownUnderLoad } = JSON.parse(stdout) as { readonly grown: number; readonly grownUnderLoad: number };
  // A page at most, of the half that was not there yet.
  t.true(grown <= MIB, String(grown));
  t.true(grownUnderLoad > 0);
});

test.serial('4 MiB of bodies are collected once, however they come', async (t) => {
  const collections = forcedCollections();
  for (let i = 0; i < 63; i += 1) bodyBytesPassed(MIB / 16);
  await delay(20);
  t.is(collections.count(), 0);
  bodyBytesPassed(MIB / 16);
  await eventually(() => (collections.count() === 1 ? true : undefined), 'collected once');
  bodyBytesPassed(20 * MIB);
  await eventually(() => (collections.count() === 2 ? true : undefined), 'collected twice');
  collections.stop();
});

test.serial('the young generation grows to 8 MiB at most', async (t) => {
  bodyBytesPassed(1);
  await survive();
  // V8 of Node 24 does not always begin at a power of two.
  t.true(size() > 4 * MIB && size() <= 8 * MIB, String(size()));
});
