/** What the project wants of itself, against what was measured. */
import { figure, whole } from './names.mjs';

const MIXED_REQUESTS = 1_000_000;
const MOST_MB = 120;

/** `{ name, limit, value, met }` of each; `value` and `met` are undefined for what was not measured. */
export function targets(results) {
  const { stages, idle, soak, grants } = results;
  const ratio = (stage, party) => stages[stage]?.[party]?.ratio;
  const against = (peer, member) => quotient(stages.small?.grant?.[member], stages.small?.[peer]?.[member]);
  const idlest = idle.filter(({ party, kbEach }) => party === 'grant' && kbEach !== undefined).at(-1);
  const soaked = soak !== undefined && soak.requests >= MIXED_REQUESTS ? soak : undefined;
  return [
    atMost('small keep-alive, with a grant', 1.6, ratio('small', 'grant'), { of: '× floor' }),
    atMost('small keep-alive, the engine alone', 1.25, ratio('small', 'engine'), { of: '× floor' }),
    atMost('1 MiB replies', 0.9, ratio('big', 'grant'), { of: '× floor' }),
    atMost('64 KiB posts', 1.1, ratio('post', 'grant'), { of: '× floor' }),
    below('64 KiB posts, p50', 3, inMs(stages.post?.grant?.p50), 'ms'),
    atMost('new connection with TLS', 1.2, ratio('new', 'grant'), { of: '× floor' }),
    atMost('p50 added at one connection', 1.1, addedLatency(stages.one), { of: "× the floor's" }),
    atMost('small keep-alive, against squid', 0.55, against('squid', 'cpuUs'), { of: '× squid' }),
    atMost('small keep-alive, against Go', 1, against('go', 'cpuUs'), { of: '× Go' }),
    atLeast('requests/s of small keep-alive, against mitmproxy', 30, against('mitmproxy', 'rps'), { of: '× mitmproxy' }),
    atMost(`memory of an idle connection${idlest === undefined ? '' : ` of ${whole(idlest.connections)}`}`, 45, idlest?.kbEach, {
      of: 'KB',
    }),
    atMost('first use of a grant, over the second', 3, firstUseMs(grants), { of: 'ms' }),
    below(`resident memory in ${whole(MIXED_REQUESTS)} mixed requests`, MOST_MB, soaked?.peakMb, 'MB'),
    {
      name: 'the same, in its second half',
      limit: 'flat',
      value: soaked && (soaked.flat ? 'flat' : `grows by ${figure(100 * (soaked.growth - 1))} %`),
      met: soaked?.flat,
    },
  ];
}

/** Of the most grants that were measured, in milliseconds. */
function firstUseMs(grants) {
  const first = grants.filter((result) => result.first !== undefined).at(-1)?.first;
  return first === undefined ? undefined : (first.coldP50 - first.warmP50) / 1000;
}

/** What the proxy adds to the latency at one connection, by what the floor adds. */
function addedLatency(one) {
  if (one === undefined) return undefined;
  return quotient(one.grant.p50 - one.direct.p50, one.floor.p50 - one.direct.p50);
}

function quotient(a, b) {
  return a === undefined || b === undefined ? undefined : a / b;
}

function inMs(us) {
  return us === undefined ? undefined : us / 1000;
}

function atMost(name, limit, value, { of }) {
  return target(name, `≤ ${limit} ${of}`, value, (measured) => measured <= limit);
}

function atLeast(name, limit, value, { of }) {
  return target(name, `≥ ${limit} ${of}`, value, (measured) => measured >= limit);
}

function below(name, limit, value, unit) {
  return target(name, `< ${limit} ${unit}`, value, (measured) => measured < limit);
}

function target(name, limit, value, holds) {
  const measured = value !== undefined && Number.isFinite(value);
  return { name, limit, value: measured ? figure(value, value < 20 ? 2 : 1) : undefined, met: measured ? holds(value) : undefined };
}
