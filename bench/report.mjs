/** docs/performance.md and docs/performance.svg, from the results of one run. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import prettier from 'prettier';

import { chart } from './chart.mjs';
import { figure, titleOf, whole } from './names.mjs';
import { PEER_PAIRS, STAGES } from './stages.mjs';
import { findBinary } from './tools.mjs';

const DOCS = fileURLToPath(new URL('../docs/', import.meta.url));

/** Writes both files. Resolves with their paths, relative to the working directory. */
export async function writeReport(results) {
  const page = path.join(DOCS, 'performance.md');
  const picture = path.join(DOCS, 'performance.svg');
  const options = await prettier.resolveConfig(page);
  writeFileSync(page, await prettier.format(markdown(results), { ...options, filepath: page }));
  writeFileSync(picture, chart(results));
  return [page, picture].map((file) => path.relative(process.cwd(), file));
}

function markdown(results) {
  return [
    '# Performance',
    introduction(results),
    '![CPU per request of each proxy, as a ratio to the floor](performance.svg)',
    targetSection(results),
    profileSection(results),
    stageSection(results),
    peerSection(results),
    idleSection(results),
    grantSection(results),
    soakSection(results),
    methodSection(results),
  ]
    .filter((section) => section !== '')
    .join('\n\n');
}

function introduction({ date, busy }) {
  return `What a request costs the proxy, measured on ${date.toISOString().slice(0, 10)} by \`npm run bench -- --write\`, which writes this page. **Floor** means the
least that the TLS sockets of Node allow: a relay that ends TLS on both sides, writes one header and checks nothing
([bench/floor.mjs](../bench/floor.mjs)). Ratios to it say more than microseconds and requests per second, and still depend on the
machine: where the kernel and TLS are quick, JavaScript weighs more. One and the same code, an earlier one, had 1.5 for small requests with a grant on an AMD EPYC, whose floor
was at 50 µs, and 2.1 on an Intel Xeon with a floor of 26 µs.

${machine()}${busy ? ' Other programs were running on it, so the figures are rough.' : ''}`;
}

function machine() {
  const [cpu] = os.cpus();
  const redis = findBinary('redis-server');
  const redisVersion = redis === undefined ? undefined : /v=([\d.]+)/.exec(execFileSync(redis, ['--version'], { encoding: 'utf8' }))?.[1];
  const facts = [
    `Node ${process.version} with OpenSSL ${process.versions.openssl}`,
    ...(redisVersion === undefined ? [] : [`Redis ${redisVersion}`]),
    `${os.type()} on ${os.arch()}`,
    `${cpu.model.trim()}, ${os.cpus().length} cores`,
    `${Math.round(os.totalmem() / 1024 ** 3)} GiB of memory`,
  ];
  return `Machine: ${facts.join('; ')}.`;
}

function targetSection({ targets }) {
  const rows = targets.map(({ name, limit, value, met }) => [
    name,
    limit,
    value ?? '—',
    met === undefined ? 'not measured' : met ? 'met' : '**missed**',
  ]);
  return `## Targets\n\nCPU per request unless something else is named.\n\n${table(['what', 'target', 'measured', ''], rows)}`;
}

/** Where targets were missed: what takes the time. */
function profileSection({ profiles }) {
  const top = profiles?.[0]?.top;
  if (top === undefined) return '';
  const rows = top.map(({ frame, share }) => {
    const [name, where = ''] = frame.split('  ');
    return [`\`${name}\``, where === '' ? '' : `\`${where}\``, `${(100 * share).toFixed(1)} %`];
  });
  return `## Where the time goes

The ten functions with the most time of their own in small requests with a grant, from the profiler of V8 (\`npm run bench -- --profile\` leaves one).
\`(program)\` is native code that no function called, above all the kernel and TLS reading; native code that a function calls counts as its own:
that of \`writeBuffer\` and \`writev\` is the kernel and TLS writing.

${table(['function', 'where', 'share'], rows)}`;
}

function stageSection({ stages, store }) {
  const rows = Object.entries(stages).map(([stage, { grant, relay, engine, floor }]) => [
    STAGES[stage].title,
    withRange(grant),
    withRange(relay),
    withRange(engine),
    figure(grant.cpuUs),
    figure(floor.cpuUs),
    figure(grant.rps),
    latency(grant),
    latency(floor),
    figure(grant.peakMb),
  ]);
  if (rows.length === 0) return '';
  const head = ['load', 'with a grant', 'without', 'engine', 'CPU µs', "floor's", 'requests/s', 'p50 / p99', "floor's", 'peak MB'];
  return `## A request

CPU per request as a ratio to the floor: the median, and the lowest and highest of the pairs. CPU, requests/s, latency (µs) and peak memory are
those with a grant: the grant from the warm cache, a policy of three rules, the credential put in, and an audit event in the ${storeName(store)}.
Without a grant, the key of the caller is checked and the event written all the same. The engine alone ([bench/engine.mjs](../bench/engine.mjs)) is the
bare relay of the same parser, edge and pool.

${table(head, rows)}`;
}

function peerSection(results) {
  const { stages, peers, skippedPeers } = results;
  const parties = ['floor', 'grant', 'engine', ...peers.map(({ name }) => name)];
  const names = Object.keys(stages);
  if (names.length === 0 || peers.length + skippedPeers.length === 0) return '';
  const main = names.includes('small') ? 'small' : names[0];
  const rows = parties.map((party) => [
    titleOf(results, party),
    ...names.map((stage) => figure(stages[stage][party]?.ratio, 2)),
    figure(stages[main][party]?.rps),
    latency(stages[main][party]),
    figure(Math.max(...names.map((stage) => stages[stage][party]?.peakMb ?? NaN).filter(Number.isFinite))),
  ]);
  const failed = peers.flatMap(({ name, title }) =>
    names.filter((stage) => stages[stage][name]?.error).map((stage) => `${title}, ${stage}`),
  );
  const notes = [
    ...skippedPeers.map(({ title, reason }) => `Left out: ${title} (${reason.split('\n')[0]}).`),
    ...(failed.length === 0 ? [] : [`Not every request succeeded, so no figure: ${failed.join('; ')}.`]),
  ];
  return `## Other proxies

The same load in the same run, with the same certificates; each replaces one header. CPU per request as a ratio to the floor; requests/s and
latency (µs) in the stage \`${main}\`; peak memory of the whole run. Another job than that of alter-proxy: no grants, no policy, no audit.

${table(['proxy', ...names, 'requests/s', 'p50 / p99', 'peak MB'], rows)}${notes.length === 0 ? '' : `\n\n${notes.join('\n')}`}`;
}

function idleSection({ idle }) {
  if (idle.length === 0) return '';
  const rows = idle.map(({ party, connections, beforeMb, afterMb, kbEach, skipped }) => [
    party === 'grant' ? 'alter-proxy' : party,
    whole(connections),
    skipped === undefined ? `${figure(beforeMb)} → ${figure(afterMb)}` : `left out: ${skipped}`,
    figure(kbEach, 1),
  ]);
  return `## Idle connections

Resident memory before and after opening intercepted connections that stay idle after one request each.

${table(['proxy', 'connections', 'MB', 'KB each'], rows)}`;
}

function grantSection({ grants }) {
  if (grants.length === 0) return '';
  const rows = grants.map(({ grants: count, skipped, redisMb, one, inTurn, uncached, first }) =>
    skipped === undefined
      ? [
          whole(count),
          figure(redisMb),
          ...[one, inTurn, uncached].map((measured) =>
            measured === undefined ? '—' : `${figure(measured.ratio, 2)} (${whole(measured.over)})`,
          ),
          `${figure(first.coldP50)} / ${figure(first.warmP50)}`,
          figure(first.reads, 1),
        ]
      : [whole(count), `left out: ${skipped}`, '', '', '', '', ''],
  );
  const filler = grants.find(({ grants: count, sealed }) => sealed !== undefined && sealed < count);
  const head = ['grants', 'Redis MB', 'one', 'in turn', 'in turn, uncached', 'first / second µs', 'reads'];
  return `## Many grants

CPU per small request as a ratio to the floor, by the number of grants in Redis: with one grant, with several in turn (so many), and with the same
in turn when the proxy caches one entry, so that each request reads Redis and opens a seal. Each grant has connections of its own to the API, and
these are open. Then the median latency of the first and of the second request with a grant, one after another by a proxy that keeps no connection
to the API, so that both open one, and how often Redis is read for the first: once for the grant, and once for the secret where that is not known
yet; here all grants are of one secret.

${table(head, rows)}${filler === undefined ? '' : `\n\nOf ${whole(filler.grants)} grants ${whole(filler.sealed)} are sealed and used; the others are records of the same size under other ids.`}`;
}

function soakSection({ soak }) {
  if (soak === undefined) return '';
  const { requests, peakMb, endMb, growth, flat } = soak;
  return `## Memory over time

Over ${whole(requests)} mixed requests (small ones with and without a grant, 64 KiB posts, 1 MiB replies, new connections) the resident memory was at
most ${figure(peakMb)} MB, and ${figure(endMb)} MB at the end. The last quarter needed ${figure(growth, 2)} of what the third one did: ${flat ? 'it is flat' : 'it grows'}.`;
}

function methodSection({ pairs, store }) {
  return `## How it was measured

All proxies run on one core; the load generator ([loadgen.c](../bench/loadgen.c)), the origin ([origin.c](../bench/origin.c)) and Redis have
another. Windows of load alternate between the floor and the others, so that a machine whose speed drifts gives the same ratio; the figures are
medians of ${pairs} windows (of ${Math.min(pairs, PEER_PAIRS)} for other proxies), after one to warm up. CPU is user + system time of a proxy's processes, as the operating system
counts it. The origin answers 401 to a request without the credential, and one failed request voids a window. Certificates are EC P-256. The
store is ${store === 'redis' ? 'Redis' : 'the embedded one'}. KB and MB are 1,024 and 1,048,576 bytes.

Run it yourself: \`npm run bench -- --help\`.`;
}

function storeName(store) {
  return store === 'redis' ? 'Redis stream' : 'embedded store';
}

function withRange({ ratio, ratioRange: [low, high] }) {
  return `**${figure(ratio, 2)}** (${figure(low, 2)}–${figure(high, 2)})`;
}

function latency(results) {
  return results?.p50 === undefined ? '-' : `${figure(results.p50)} / ${figure(results.p99)}`;
}

/** The first column to the left, the others to the right. */
function table(head, rows) {
  const line = (cells) => `| ${cells.map((cell) => cell.replace(/^-$/, '—').replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map((_, index) => (index === 0 ? ':--' : '--:'))), ...rows.map(line)].join('\n');
}
