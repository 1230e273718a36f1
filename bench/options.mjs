import { parseArgs } from 'node:util';

import { PEERS } from './peers.mjs';
import { STAGES } from './stages.mjs';
import { findBinary } from './tools.mjs';

const STAGE_NAMES = Object.keys(STAGES);
const PEER_NAMES = Object.keys(PEERS);

const USAGE = `Usage: npm run bench [-- options]

What a request costs the proxy, as a ratio to the least that Node's TLS sockets allow.

  --stages <names>      kinds of load: ${STAGE_NAMES.join(', ')} (default: all)
  --pairs <n>           windows of load per stage and party (default: 6)
  --store <kind>        redis or embedded (default: redis where redis-server is installed)
  --peers <names>       other proxies: ${PEER_NAMES.join(', ')}; or none (default: those that are installed)
  --idle <numbers>      idle intercepted connections whose memory is measured, or none (default: 1000,10000)
  --grants <numbers>    grants in Redis against which the cost is measured, or none (default: 10,10000; 1000000 needs
                        some minutes more and 3 GB of memory)
  --soak                also 1,000,000 mixed requests, watching the memory
  --soak-requests <n>   that many instead
  --profile             only a CPU profile of the proxy under the stages (default here: small), and what takes most of its time
  --write               write docs/performance.md and docs/performance.svg
  -h, --help            show help

Lists are separated by commas.`;

const OPTIONS = {
  stages: { type: 'string' },
  pairs: { type: 'string', default: '6' },
  store: { type: 'string' },
  peers: { type: 'string' },
  idle: { type: 'string', default: '1000,10000' },
  grants: { type: 'string', default: '10,10000' },
  soak: { type: 'boolean', default: false },
  'soak-requests': { type: 'string' },
  profile: { type: 'boolean', default: false },
  write: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
};

class UsageError extends Error {}

/** The options of the command line. Ends the process after `--help` (0), and with 2 when something is wrong. */
export function readOptions() {
  try {
    const { values } = parseArgs({ options: OPTIONS });
    if (values.help) {
      console.log(USAGE);
      process.exit(0);
    }
    return understood(values);
  } catch (error) {
    if (!(error instanceof UsageError) && !String(error.code).startsWith('ERR_PARSE_ARGS')) throw error;
    console.error(`${error.message}\n\n${USAGE}`);
    process.exit(2);
  }
}

function understood(values) {
  const redis = findBinary('redis-server') !== undefined;
  const store = values.store ?? (redis ? 'redis' : 'embedded');
  if (!['redis', 'embedded'].includes(store)) throw new UsageError(`--store is redis or embedded, not ${store}.`);
  if (store === 'redis' && !redis) throw new UsageError('--store redis needs redis-server, which is not installed.');
  if (values.profile && values.write) throw new UsageError('--profile measures nothing that --write could write.');
  const soakRequests = values['soak-requests'];
  return {
    store,
    redis,
    stages: values.stages === undefined ? (values.profile ? ['small'] : STAGE_NAMES) : names('--stages', values.stages, STAGE_NAMES),
    pairs: wholeNumber('--pairs', values.pairs),
    /** Undefined: those that are installed. */
    peers: values.peers === undefined ? undefined : values.peers === 'none' ? [] : names('--peers', values.peers, PEER_NAMES),
    idle: values.idle === 'none' ? [] : numbers('--idle', values.idle),
    grants: values.grants === 'none' ? [] : numbers('--grants', values.grants),
    soak: soakRequests === undefined ? (values.soak ? 1_000_000 : 0) : wholeNumber('--soak-requests', soakRequests),
    profile: values.profile,
    write: values.write,
  };
}

function names(option, text, known) {
  const given = text.split(',');
  const unknown = given.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new UsageError(`${option}: there is no ${JSON.stringify(unknown)}; there are ${known.join(', ')}.`);
  // In the order in which they are known.
  return known.filter((name) => given.includes(name));
}

function numbers(option, text) {
  return text
    .split(',')
    .map((item) => wholeNumber(option, item))
    .sort((a, b) => a - b);
}

function wholeNumber(option, text) {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new UsageError(`${option}: ${JSON.stringify(text)} is not a whole number above 0.`);
  return Number(text);
}
