/** What a request costs against the number of grants in Redis: one warm grant among many, many in turn, and the first use of a grant. */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { Redis } from 'ioredis';

import { availableMb } from './processes.mjs';
import { STAGES, median } from './stages.mjs';
import { openVault, redisKeys } from './vault.mjs';

/** Grants that are sealed one by one; further ones in Redis are never opened. */
const MOST_SEALED = 10_000;
/** Grants that are used in turn, each with connections of its own to the origin: so many stay open from one use to the next. */
const IN_TURN = 1000;
/** Fewer in turn are read by several requests at once. */
const FEWEST_UNCACHED = 100;
const PER_COMMAND = 1000;
/** A sealed grant in Redis, its key and its place in the index. */
const BYTES_PER_GRANT = 2000;
/** Until the code of a new proxy is compiled. */
const WARM_UP = '-c 32 -u /j -L 1024 -w 0 -d 4';
/** First uses that are timed: a round makes these grants unknown to the proxy and uses each once. */
const FIRST_USES = 50;
const FIRST_USE_ROUNDS = 5;
/** Longer than a change needs to reach the proxy, and than the proxy needs to forget a grant without connections. */
const TOLD_MS = 1500;
/**
 * A proxy looks by itself whether the grants of its open connections were revoked, and so reads their changed records before a request comes.
 * One that keeps no connection does not; it opens one for each request, for the first use of a grant and for the second.
 */
const KEEPS_NO_CONNECTION = { ALTER_UPSTREAM_KEEP_ALIVE_MS: '1', ALTER_UPSTREAM_MAX_LIFETIME_MS: '1' };

/**
 * Measures for each of the `counts` (rising) and hands to `report` `{ grants, sealed, redisMb, one, inTurn, uncached, first }`, or
 * `{ grants, skipped }` with the reason. `one`, `inTurn` and `uncached` are `{ ratio, cpuUs, rps, p50, over }`: requests with one grant, with
 * `over` grants in turn, and the same when the proxy caches none (undefined when there are too few). `first` is
 * `{ coldP50, warmP50, reads }`: the first request with a grant, the second one, and how often Redis was read for the first.
 */
export async function measureGrants(bench, counts, { pairs, floor, report }) {
  const redis = await bench.startRedis();
  const client = new Redis({ host: '127.0.0.1', port: redis.port });
  try {
    const home = await bench.makeHome(redis.env);
    const crowd = await Crowd.open(bench, home, client);
    for (const count of counts) {
      const neededMb = (count * BYTES_PER_GRANT) / 1024 ** 2 + 1024;
      if (availableMb() < neededMb) {
        report({ grants: count, skipped: `it needs ${(neededMb / 1024).toFixed(1)} GB of free memory` });
        continue;
      }
      await crowd.growTo(count);
      report({
        grants: count,
        sealed: crowd.ids.length,
        redisMb: await usedMb(client),
        ...(await measure(bench, crowd, { pairs, floor })),
      });
    }
  } finally {
    client.disconnect();
    await redis.stop();
  }
}

async function measure(bench, crowd, { pairs, floor }) {
  const turn = crowd.ids.slice(0, IN_TURN);
  const proxy = await bench.startProxy(crowd.home);
  try {
    await bench.load(proxy.grant, WARM_UP);
    const one = { over: 1, ...(await againstFloor(bench, floor, proxy.grant, pairs)) };
    const inTurn = await measureInTurn(bench, crowd, { proxy, turn, floor, pairs });
    const first = await measureFirstUse(bench, crowd);
    return { one, inTurn, first, uncached: await measureUncached(bench, crowd, { turn, floor, pairs }) };
  } finally {
    await proxy.stop();
  }
}

async function measureInTurn(bench, crowd, { proxy, turn, floor, pairs }) {
  const party = crowd.using(proxy, turn);
  // Each grant is in the cache, and its connection to the origin open.
  await bench.load(party, `-c 32 -u /j -L 1024 -w 0 -d 120 -N ${2 * turn.length}`);
  return { over: turn.length, ...(await againstFloor(bench, floor, party, pairs)) };
}

async function measureUncached(bench, crowd, { turn, floor, pairs }) {
  if (turn.length < FEWEST_UNCACHED) return undefined;
  const proxy = await bench.startProxy(crowd.home, { env: { ALTER_CACHE_MAX_ENTRIES: '1' } });
  try {
    await bench.load(proxy.grant, WARM_UP);
    return await measureInTurn(bench, crowd, { proxy, turn, floor, pairs });
  } finally {
    await proxy.stop();
  }
}

/** Medians over windows in alternation with the floor; the first pair warms up. */
async function againstFloor(bench, floor, party, pairs) {
  const samples = [];
  for (let pair = -1; pair < pairs; pair += 1) {
    const { cpu_us: floorUs } = await bench.load(floor, STAGES.small.load);
    const figures = await bench.load(party, STAGES.small.load);
    if (pair >= 0) samples.push({ ...figures, ratio: figures.cpu_us / floorUs });
  }
  const of = (member) => median(samples.map((sample) => sample[member]));
  return { ratio: of('ratio'), cpuUs: of('cpu_us'), rps: of('rps'), p50: of('p50') };
}

/** A record that is written again is forgotten by the proxy, so each round uses grants that it does not know. */
async function measureFirstUse(bench, crowd) {
  const proxy = await bench.startProxy(crowd.home, { env: KEEPS_NO_CONNECTION });
  try {
    await bench.load(proxy.grant, '-c 4 -u /j -L 1024 -w 0 -d 4');
    return await measureRounds(bench, crowd, proxy);
  } finally {
    await proxy.stop();
  }
}

async function measureRounds(bench, crowd, proxy) {
  const some = crowd.ids.slice(-FIRST_USES);
  const party = crowd.using(proxy, some);
  const once = `-c 1 -u /j -L 1024 -w 0 -d 30 -N ${some.length}`;
  const rounds = [];
  for (let round = -1; round < FIRST_USE_ROUNDS; round += 1) {
    await crowd.writeAgain(some);
    await sleep(TOLD_MS);
    const readsBefore = await crowd.reads();
    const cold = await bench.load(party, once);
    const reads = ((await crowd.reads()) - readsBefore) / some.length;
    const warm = await bench.load(party, once);
    if (round >= 0) rounds.push({ cold: cold.p50, warm: warm.p50, reads });
  }
  const of = (member) => median(rounds.map((round) => round[member]));
  return { coldP50: of('cold'), warmP50: of('warm'), reads: of('reads') };
}

/** The grants in Redis. */
class Crowd {
  home;
  /** Grants that open. */
  ids = [];
  #bench;
  #client;
  #app;
  #keys;
  #texts = new Map();
  #written = 0;

  constructor({ bench, home, client, config, keys }) {
    this.home = home;
    this.#bench = bench;
    this.#client = client;
    this.#app = config.app;
    this.#keys = keys;
  }

  static async open(bench, home, client) {
    const vault = await openVault(home.folder, home.env);
    await vault.close();
    return new Crowd({ bench, home, client, config: vault.config, keys: await redisKeys(vault.config) });
  }

  /**
   * Adds grants until there are `count`. The first ones are sealed by the project's own code; further ones are copies of a sealed text
   * under other ids: they take the same room, and would not open.
   */
  async growTo(count) {
    const sealed = Math.min(count, MOST_SEALED) - this.ids.length;
    if (sealed > 0) await this.#write(await this.#seal(sealed));
    const [text] = this.#texts.values();
    while (this.#written < count) {
      const some = Math.min(PER_COMMAND, count - this.#written);
      await this.#write(Array.from({ length: some }, () => ({ id: randomUUID(), text })));
    }
  }

  /** Writes the records of these grants as they are: whoever caches them is told. */
  async writeAgain(ids) {
    await this.#client.mset(ids.flatMap((id) => [this.#key(id), this.#texts.get(id)]));
  }

  /** How often a value has been read from Redis. */
  async reads() {
    return Number(/^cmdstat_get:calls=(\d+)/m.exec(await this.#client.info('commandstats'))?.[1] ?? 0);
  }

  /** A party that names these grants in turn. */
  using(proxy, ids) {
    const file = this.#bench.file(`grants-${ids.length}-${ids[0]}`);
    writeFileSync(file, ids.map((id) => `${id}\n`).join(''));
    return { ...proxy, headers: [...proxy.headers, '-G', file] };
  }

  async #seal(count) {
    const vault = await openVault(this.home.folder, this.home.env);
    try {
      const sealed = [];
      while (sealed.length < count) sealed.push(...(await vault.sealCopies(this.home.grant, Math.min(PER_COMMAND, count - sealed.length))));
      for (const { id, text } of sealed) this.#texts.set(id, text);
      this.ids.push(...sealed.map(({ id }) => id));
      return sealed;
    } finally {
      await vault.close();
    }
  }

  async #write(records) {
    for (let start = 0; start < records.length; start += PER_COMMAND) {
      const some = records.slice(start, start + PER_COMMAND);
      await this.#client.mset(some.flatMap(({ id, text }) => [this.#key(id), text]));
      await this.#client.zadd(this.#keys.index(this.#app, 'grant'), ...some.flatMap(({ id }) => [0, id]));
    }
    this.#written += records.length;
  }

  #key(id) {
    return this.#keys.record({ kind: 'grant', app: this.#app, id });
  }
}

async function usedMb(client) {
  return Number(/^used_memory:(\d+)/m.exec(await client.info('memory'))?.[1] ?? 0) / 1024 ** 2;
}
