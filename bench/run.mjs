/**
 * `npm run bench`: what a request costs the proxy, as a ratio to the least that Node's TLS sockets allow (bench/floor.mjs).
 *
 *   npm run bench [-- --stages small,big,… --pairs N --store embedded|redis]
 *
 * The floor and the proxy stay up and windows of load alternate between them, so that a machine whose speed drifts gives the same ratio. The
 * figure is user + system CPU of the process per request, as the operating system counts it; medians over the pairs.
 */
import { parseArgs } from 'node:util';

import { buildTools, startBenchmark } from './setup.mjs';

/** Load of each stage, as arguments of bench/loadgen.c. */
const STAGES = {
  small: '-c 32 -u /j -L 1024 -w 0.3 -d 1.5',
  one: '-c 1 -u /j -L 1024 -w 0.3 -d 1',
  paced: '-c 16 -u /j -R 300 -L 1024 -w 0.5 -d 3',
  big: '-c 8 -u /big -L 1048576 -w 0.3 -d 1.5',
  post: '-c 8 -m POST -u /echo -b 65536 -E 65536 -w 0.3 -d 1',
  new: '-c 4 -n -u /j -L 1024 -w 0.3 -d 1.5',
  newr: '-c 4 -n -r -u /j -L 1024 -w 0.3 -d 1.5',
};

const { values } = parseArgs({
  options: {
    stages: { type: 'string', default: Object.keys(STAGES).join(',') },
    pairs: { type: 'string', default: '6' },
    store: { type: 'string', default: 'embedded' },
  },
});
const stages = values.stages.split(',');
const unknown = stages.find((stage) => !Object.hasOwn(STAGES, stage));
if (unknown !== undefined || !['embedded', 'redis'].includes(values.store) || !(Number(values.pairs) >= 1)) {
  console.error(`usage: npm run bench -- [--stages ${Object.keys(STAGES).join(',')}] [--pairs N] [--store embedded|redis]`);
  process.exit(2);
}

buildTools();
const bench = await startBenchmark(values.store);
try {
  console.log(
    `Node ${process.version}, ${values.store} store, medians of ${values.pairs} pairs; ratios of CPU per request to the floor.\n`,
  );
  console.log(row('stage', 'grant', 'no grant', 'CPU µs', 'floor µs', 'req/s', 'floor', 'p50 µs', 'p99 µs', 'floor p99', 'RSS MB'));
  for (const stage of stages) console.log(await measure(stage));
} finally {
  await bench.stop();
}

async function measure(stage) {
  const pairs = [];
  for (let i = -1; i < Number(values.pairs); i += 1) {
    const floor = await bench.load('floor', STAGES[stage]);
    const grant = await bench.load('grant', STAGES[stage]);
    const relay = await bench.load('relay', STAGES[stage]);
    for (const result of [floor, grant, relay])
      if (result.err + result.e401 + result.estat + result.elen > 0) throw new Error(`${stage}: ${result.msg}`);
    // The first pair warms up code and connections.
    if (i >= 0) pairs.push({ floor, grant, relay });
  }
  const median = (pick) => {
    const sorted = pairs.map(pick).sort((a, b) => a - b);
    return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2;
  };
  return row(
    stage,
    median(({ grant, floor }) => grant.cpu_us / floor.cpu_us).toFixed(2),
    median(({ relay, floor }) => relay.cpu_us / floor.cpu_us).toFixed(2),
    ...[({ grant }) => grant.cpu_us, ({ floor }) => floor.cpu_us, ({ grant }) => grant.rps, ({ floor }) => floor.rps].map((pick) =>
      median(pick).toFixed(0),
    ),
    ...[({ grant }) => grant.p50, ({ grant }) => grant.p99, ({ floor }) => floor.p99, ({ grant }) => grant.hwm_mb].map((pick) =>
      median(pick).toFixed(0),
    ),
  );
}

function row(stage, ...cells) {
  return `${stage.padEnd(6)}${cells.map((cell) => String(cell).padStart(10)).join('')}`;
}
