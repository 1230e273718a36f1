/** Mixed requests for a long time, and the resident memory of the proxy all along. */
/** One round, as parts of a thousand requests. */
const MIX = [
  { party: 'grant', share: 800, load: '-c 32 -u /j -L 1024' },
  { party: 'relay', share: 100, load: '-c 16 -u /j -L 1024' },
  { party: 'grant', share: 60, load: '-c 8 -m POST -u /echo -b 65536 -E 65536' },
  { party: 'grant', share: 10, load: '-c 4 -u /big -L 1048576' },
  { party: 'grant', share: 30, load: '-c 4 -n -u /j -L 1024' },
];
const ROUNDS = 50;
/** Memory is flat when the last quarter of the run needs at most so many times what the quarter before it needed. */
const FLAT = 1.05;

/**
 * Sends `requests`. Returns `{ requests, peakMb, endMb, growth, flat }`: `growth` is the highest of the last quarter by that of the third one.
 * Memory is the resident set of the proxy's processes, read after each part of a round.
 */
export async function soak(bench, proxy, requests) {
  const samplesMb = [];
  let peakMb = 0;
  let sent = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { party, share, load } of MIX) {
      const count = Math.max(1, Math.round((requests * share) / 1000 / ROUNDS));
      const figures = await bench.load(proxy[party], `${load} -w 0 -d 600 -N ${count}`);
      sent += count;
      samplesMb.push(figures.rss_mb);
      peakMb = Math.max(peakMb, figures.hwm_mb);
    }
  }
  const highest = (from, to) => Math.max(...samplesMb.slice(Math.floor(samplesMb.length * from), Math.floor(samplesMb.length * to)));
  const growth = highest(0.75, 1) / highest(0.5, 0.75);
  return { requests: sent, peakMb, endMb: samplesMb.at(-1), growth, flat: growth <= FLAT };
}
