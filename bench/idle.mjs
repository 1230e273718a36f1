/** What an idle intercepted connection costs in memory: CONNECT, TLS and one request on each, then silence. */
import { setTimeout as sleep } from 'node:timers/promises';

import { descriptorLimit, residentKb } from './processes.mjs';

/** Connections that come and go before the first look: code is compiled, buffers are there. */
const WARM_UP = '-c 4 -n -u /j -L 1024 -w 0 -d 1.5';
/** Descriptors that a process needs besides those of the idle connections. */
const SPARE_DESCRIPTORS = 500;
const LOOK_EVERY_MS = 500;
/** Memory has settled when it stays within 1 % for this long. */
const STEADY_MS = 4000;
const SETTLE_DEADLINE_MS = 30_000;

/**
 * Measures with `count` connections. `start` starts the proxy anew and returns the party. Returns `{ connections, beforeMb, afterMb, kbEach }`,
 * or `{ connections, skipped }` with the reason. Memory is the resident set of the proxy's processes.
 */
export async function measureIdle(bench, count, start) {
  const limit = descriptorLimit();
  if (limit < count + SPARE_DESCRIPTORS)
    return {
      connections: count,
      skipped: `a process may open ${limit} files, and this needs ${count + SPARE_DESCRIPTORS}; as root: ulimit -n ${count + SPARE_DESCRIPTORS}`,
    };
  const party = await start();
  try {
    await bench.load(party, WARM_UP);
    const before = await settledKb(party.pid);
    const { release } = await bench.holdIdle(party, count);
    const after = await settledKb(party.pid);
    await release();
    return { connections: count, beforeMb: before / 1024, afterMb: after / 1024, kbEach: (after - before) / count };
  } finally {
    await party.stop();
  }
}

/** Resident memory in KB once it stays as it is, or at the latest when the deadline has passed. */
async function settledKb(pid) {
  const looks = [];
  for (const deadline = Date.now() + SETTLE_DEADLINE_MS; Date.now() < deadline; await sleep(LOOK_EVERY_MS)) {
    looks.push(residentKb(pid));
    const recent = looks.slice(-STEADY_MS / LOOK_EVERY_MS);
    if (recent.length * LOOK_EVERY_MS >= STEADY_MS && Math.max(...recent) - Math.min(...recent) < 0.01 * recent[0]) break;
  }
  return looks.at(-1);
}
