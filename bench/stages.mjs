/** Load of each stage, and windows of it in alternation between the parties. */

/** By name: what it is, and the arguments of bench/loadgen.c. */
export const STAGES = {
  small: { title: 'small, keep-alive (1 KiB, 32 connections)', load: '-c 32 -u /j -L 1024 -w 0.3 -d 1.5' },
  one: { title: 'one connection (1 KiB)', load: '-c 1 -u /j -L 1024 -w 0.3 -d 1' },
  paced: { title: 'paced, 300 requests/s (1 KiB)', load: '-c 16 -u /j -R 300 -L 1024 -w 0.5 -d 3' },
  big: { title: '1 MiB replies', load: '-c 8 -u /big -L 1048576 -w 0.3 -d 1.5' },
  post: { title: '64 KiB posts', load: '-c 8 -m POST -u /echo -b 65536 -E 65536 -w 0.3 -d 1' },
  new: { title: 'new CONNECT and TLS per request', load: '-c 4 -n -u /j -L 1024 -w 0.3 -d 1.5' },
  newr: { title: 'the same, TLS session resumed', load: '-c 4 -n -r -u /j -L 1024 -w 0.3 -d 1.5' },
};

/** Seconds of the window before the first pair: what is compiled at run time is compiled by then, or its compiler would be measured. */
const WARM_UP_SECONDS = 5;

/** Windows of a peer: it is there to compare with, and its own code does not change. */
export const PEER_PAIRS = 3;

/**
 * Measures one stage. `parties` maps names to parties, the floor first; of those in `peers` a failure is kept as their result, any other
 * rejects. Returns by name what {@link medians} does, or `{ error }`. The ratio is the CPU per request against that of the floor's window
 * beside it.
 */
export async function measureStage(bench, stage, { parties, peers, pairs }) {
  const samples = Object.fromEntries(Object.keys(parties).map((name) => [name, []]));
  const errors = {};
  const { load } = STAGES[stage];
  const warmUp = load.replace(/-d \S+$/, `-d ${WARM_UP_SECONDS}`);
  for (let pair = -1; pair < pairs; pair += 1) {
    let floorUs;
    for (const [name, party] of Object.entries(parties)) {
      if (errors[name] !== undefined || (peers.includes(name) && pair >= PEER_PAIRS)) continue;
      try {
        const figures = await bench.load(party, pair < 0 ? warmUp : load);
        floorUs ??= figures.cpu_us;
        if (pair >= 0) samples[name].push({ ...figures, ratio: figures.cpu_us / floorUs });
      } catch (error) {
        if (!peers.includes(name)) throw new Error(`${stage}, ${name}: ${error.message}`, { cause: error });
        errors[name] = error.message;
      }
    }
  }
  return Object.fromEntries(
    Object.entries(samples).map(([name, some]) => [name, errors[name] === undefined ? medians(some) : { error: errors[name] }]),
  );
}

/** `{ ratio, ratioRange, cpuUs, rps, p50, p99, peakMb }`: medians over several windows of one party; latencies in µs. */
export function medians(samples) {
  const of = (member) => median(samples.map((sample) => sample[member]));
  const ratios = samples.map(({ ratio }) => ratio);
  return {
    ratio: of('ratio'),
    ratioRange: [Math.min(...ratios), Math.max(...ratios)],
    cpuUs: of('cpu_us'),
    rps: of('rps'),
    p50: of('p50'),
    p99: of('p99'),
    peakMb: of('hwm_mb'),
  };
}

/** The middle one, or the mean of the two in the middle. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2;
}
