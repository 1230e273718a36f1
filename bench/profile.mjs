/** A CPU profile of the proxy under load, and what takes most of its time. */
import { mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { STAGES } from './stages.mjs';
import { BUILD } from './tools.mjs';

const FOLDER = path.join(BUILD, 'profile');
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const WARM_UP = '-c 32 -u /j -L 1024 -w 0 -d 2';
const SECONDS = 5;
const TOP = 10;
/** Frames that are no work of the process. `(program)` is: native code that no function of JavaScript called, TLS above all. */
const NOT_WORK = ['(idle)', '(root)'];

/**
 * Runs each stage against a proxy that is profiled from its start to its end. Resolves with one of `{ file, seconds, top }` for each of its
 * processes: where the profile is, how long it worked under load, without the start, and the functions that took most of that themselves, as
 * `{ frame, share }`.
 */
export async function profile(bench, home, stages) {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  const proxy = await bench.startProxy(home, { nodeOptions: ['--cpu-prof', `--cpu-prof-dir=${FOLDER}`] });
  await bench.load(proxy.grant, WARM_UP);
  const since = monotonicUs();
  for (const stage of stages) await bench.load(proxy.grant, STAGES[stage].load.replace(/-d \S+$/, `-d ${SECONDS}`));
  await proxy.stop();
  const files = readdirSync(FOLDER).filter((file) => file.endsWith('.cpuprofile'));
  if (files.length === 0) throw new Error('the proxy left no profile');
  return files.map((file) => topOf(path.join(FOLDER, file), since));
}

function topOf(file, since) {
  const { work, byFrame } = selfTimes(JSON.parse(readFileSync(file, 'utf8')), since);
  const top = [...byFrame].sort(([, a], [, b]) => b - a).slice(0, TOP);
  return { file: path.relative(process.cwd(), file), seconds: work / 1e6, top: top.map(([frame, us]) => ({ frame, share: us / work })) };
}

/** The clock of the instants in a profile. */
function monotonicUs() {
  return Number(process.hrtime.bigint() / 1000n);
}

/** Microseconds by function from an instant on, without idle time. */
function selfTimes({ nodes, startTime, samples, timeDeltas }, since) {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const byFrame = new Map();
  let work = 0;
  let at = startTime;
  samples.forEach((id, index) => {
    const frame = frames.get(id);
    at += timeDeltas[index];
    if (at < since || NOT_WORK.includes(frame.functionName)) return;
    work += timeDeltas[index];
    const name = nameOf(frame);
    byFrame.set(name, (byFrame.get(name) ?? 0) + timeDeltas[index]);
  });
  return { work, byFrame };
}

function nameOf({ functionName, url, lineNumber }) {
  const name = functionName === '' ? '(anonymous)' : functionName;
  if (url === '') return name;
  const file = url.startsWith('file:') ? path.relative(ROOT, fileURLToPath(url)) : url;
  return `${name}  ${file}:${lineNumber + 1}`;
}
