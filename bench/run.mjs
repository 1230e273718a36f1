/**
 * `npm run bench`: what a request costs the proxy, as a ratio to the least that Node's TLS sockets allow (bench/floor.mjs). `-- --help` lists
 * the options.
 *
 * The floor, the proxy and other proxies stay up and windows of load alternate between them, so that a machine whose speed drifts gives the
 * same ratio. The figure is user + system CPU of the process and its children per request, as the operating system counts it; medians over
 * the pairs.
 */
import os from 'node:os';

import { measureGrants } from './grants.mjs';
import { measureIdle } from './idle.mjs';
import { readOptions } from './options.mjs';
import { startPeers } from './peers.mjs';
import { printGrants, printIdle, printProfiles, printSoak, printStage, printStageHead, printTargets } from './print.mjs';
import { profile } from './profile.mjs';
import { writeReport } from './report.mjs';
import { startBenchmark } from './setup.mjs';
import { soak } from './soak.mjs';
import { measureStage } from './stages.mjs';
import { targets } from './targets.mjs';
import { buildTools } from './tools.mjs';

/** Windows in the measurements beside the stages. */
const FEW_PAIRS = 3;

const options = readOptions();
buildTools();
const bench = await startBenchmark();
const interrupted = stopOnSignals();
try {
  const redis = options.store === 'redis' ? await bench.startRedis() : undefined;
  const home = await bench.makeHome(redis?.env);
  if (options.profile) printProfiles(await profile(bench, home, options.stages));
  else await measure(home);
} catch (error) {
  if (!interrupted()) throw error;
} finally {
  await bench.stop();
}

async function measure(home) {
  const results = { date: new Date(), store: options.store, pairs: options.pairs, stages: {}, idle: [], grants: [] };
  console.log(
    `Node ${process.version}, ${options.store} store, medians of ${options.pairs} pairs; ratios of CPU per request to the floor.`,
  );
  const [load] = os.loadavg();
  results.busy = load > 1;
  if (results.busy) console.log(`Other programs are running here (load ${load.toFixed(1)}): the figures will be rough.`);
  const floor = await bench.startFloor();
  await measureStages(home, floor, results);
  await measureMemory(home, results);
  if (options.grants.length > 0 && options.redis) {
    console.log();
    const report = (result) => printGrants(results.grants.push(result) === 1, result);
    await measureGrants(bench, options.grants, { pairs: Math.min(options.pairs, FEW_PAIRS), floor, report });
  } else if (options.grants.length > 0) console.log('\nThe cost against the number of grants is left out: redis-server is not installed.');
  if (options.soak > 0) {
    const proxy = await bench.startProxy(home);
    results.soak = await soak(bench, proxy, options.soak);
    await proxy.stop();
    console.log();
    printSoak(results.soak);
  }
  results.targets = targets(results);
  console.log();
  printTargets(results.targets);
  if (results.targets.some(({ met }) => met === false)) {
    results.profiles = await profile(bench, home, ['small']);
    console.log();
    printProfiles(results.profiles);
  }
  if (options.write) for (const file of await writeReport(results)) console.log(`Written: ${file}`);
}

async function measureStages(home, floor, results) {
  const proxy = await bench.startProxy(home);
  const engine = await bench.startEngine();
  const { running, skipped } = await startPeers(bench, options.peers);
  results.peers = running.map(({ name, title }) => ({ name, title }));
  results.skippedPeers = skipped;
  for (const { title, reason } of skipped) console.log(`Left out: ${title}: ${reason}`);
  printStageHead();
  for (const stage of options.stages) {
    const present = running.filter(({ stages }) => stages === undefined || stages.includes(stage));
    const parties = {
      floor,
      grant: proxy.grant,
      relay: proxy.relay,
      engine,
      // What is no proxy has no CPU to count: it tells the latency that a proxy adds to.
      ...(stage === 'one' ? { direct: bench.direct } : {}),
      ...Object.fromEntries(present.map(({ name, party }) => [name, party])),
    };
    results.stages[stage] = await measureStage(bench, stage, { parties, peers: present.map(({ name }) => name), pairs: options.pairs });
    printStage(stage, results.stages[stage]);
  }
  for (const { stop } of [proxy, engine, ...running.map(({ party }) => party)]) await stop();
}

async function measureMemory(home, results) {
  if (options.idle.length > 0) console.log();
  const starts = { grant: async () => (await bench.startProxy(home)).grant, floor: () => bench.startFloor() };
  for (const connections of options.idle)
    for (const [party, start] of Object.entries(starts)) {
      const result = { party, ...(await measureIdle(bench, connections, start)) };
      printIdle(results.idle.push(result) === 1, result);
    }
}

/** Nothing that was started outlives a Ctrl-C. Tells whether there was one. */
function stopOnSignals() {
  let signalled = false;
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.once(signal, async () => {
      signalled = true;
      await bench.stop();
      process.exit(128 + os.constants.signals[signal]);
    });
  return () => signalled;
}
