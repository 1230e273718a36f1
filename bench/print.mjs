/** What the benchmark shows on the terminal while it goes on. */
import { figure, whole } from './names.mjs';

const STAGE_WIDTHS = [7, 11, 8, 10, 10, 10, 10, 10];
const GRANT_WIDTHS = [10, 10, 8, 9, 10, 16, 7];

export function printStageHead() {
  console.log(`\n${row(STAGE_WIDTHS, ['stage', 'party', 'ratio', 'CPU µs', 'req/s', 'p50 µs', 'p99 µs', 'peak MB'])}`);
}

export function printStage(stage, results) {
  for (const [party, { error, ratio, cpuUs, rps, p50, p99, peakMb }] of Object.entries(results)) {
    if (error !== undefined) {
      console.log(`${row(STAGE_WIDTHS, [stage, party])}  ${error.split('\n')[0]}`);
      continue;
    }
    const proxied = party !== 'direct';
    const own = [proxied ? figure(ratio, 2) : '-', proxied ? figure(cpuUs) : '-'];
    console.log(row(STAGE_WIDTHS, [stage, party, ...own, figure(rps), figure(p50), figure(p99), proxied ? figure(peakMb) : '-']));
  }
}

export function printIdle(first, { party, connections, skipped, beforeMb, afterMb, kbEach }) {
  if (first) console.log('Resident memory of idle intercepted connections:');
  const who = `  ${whole(connections).padStart(7)}, ${party}: `;
  console.log(
    skipped === undefined
      ? `${who}${figure(kbEach, 1)} KB each (${figure(beforeMb)} to ${figure(afterMb)} MB)`
      : `${who}left out: ${skipped}`,
  );
}

export function printGrants(head, { grants, skipped, redisMb, one, inTurn, uncached, first }) {
  if (head) {
    console.log(
      'Cost against the number of grants in Redis: ratios with one grant, with up to 1,000 in turn, and the same without a cache;',
    );
    console.log('µs of the first and of the second request with a grant, and how often Redis was read for the first:');
    console.log(row(GRANT_WIDTHS, ['grants', 'Redis MB', 'one', 'in turn', 'uncached', 'first / second', 'reads']));
  }
  if (skipped !== undefined) {
    console.log(`${whole(grants).padStart(GRANT_WIDTHS[0])}  left out: ${skipped}`);
    return;
  }
  const ratios = [one, inTurn, uncached].map((measured) => figure(measured?.ratio, 2));
  const latencies = `${figure(first.coldP50)} / ${figure(first.warmP50)}`;
  console.log(row(GRANT_WIDTHS, [whole(grants), figure(redisMb), ...ratios, latencies, figure(first.reads, 2)]));
}

export function printSoak({ requests, peakMb, endMb, growth, flat }) {
  console.log(`Resident memory over ${whole(requests)} mixed requests: at most ${figure(peakMb)} MB, ${figure(endMb)} MB at the end;`);
  console.log(`the last quarter needed ${figure(growth, 2)} of what the third one did: ${flat ? 'flat' : 'it grows'}.`);
}

export function printTargets(targets) {
  console.log('Targets:');
  for (const { name, limit, value, met } of targets) {
    const mark = met === undefined ? '-     ' : met ? 'met   ' : 'missed';
    console.log(`  ${mark}  ${name}: ${value ?? 'not measured'} (${limit})`);
  }
}

export function printProfiles(profiles) {
  for (const { file, seconds, top } of profiles) {
    console.log(`${file}, ${seconds.toFixed(1)} s of work; by self time:`);
    for (const { frame, share } of top) console.log(`${(100 * share).toFixed(1).padStart(6)} %  ${frame}`);
  }
}

/** The first two cells to the left, the others to the right. */
function row(widths, cells) {
  return cells
    .map((cell, index) => (index < 2 && widths === STAGE_WIDTHS ? cell.padEnd(widths[index]) : cell.padStart(widths[index])))
    .join('');
}
