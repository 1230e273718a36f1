/**
 * What the rules of a policy cost: `npm run build && node bench/policy.mjs`. CPU time of this process (user and system) for one decision,
 * the median of some rounds; the first rounds are for the compiler. Facts are built anew for each decision, as the proxy does.
 */
import { HeaderList } from '../dist/src/message/header-list.js';
import { decide } from '../dist/src/policy/decide.js';
import { combinePolicies } from '../dist/src/policy/policy.js';

const ROUNDS = 15;
const WARM_UP = 5;
const DECISIONS = 100_000;

const FIVE = [
  { kind: 'time', zone: 'Europe/Berlin', hours: ['00:00-24:00'], days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] },
  { kind: 'ip', allow: ['10.0.0.0/8', '127.0.0.0/8', '2001:db8::/32'] },
  { kind: 'ttl', max_seconds: 3_000_000_000 },
  { kind: 'methods', allow: ['GET', 'HEAD', 'POST'] },
  { kind: 'url', hosts: ['api.example.com', '*.example.org'], ports: [443], paths: ['/v1/models', '/v1/chat/**'] },
];
const CEL = {
  kind: 'cel',
  expression:
    'request.method in ["GET", "POST"] && request.path.startsWith("/v1/") && time.hour("Europe/Berlin") < 24 && (reason != "" || "run_id" in context)',
};

const POLICIES = {
  'time, ip, ttl, methods, url': combinePolicies({ app: FIVE.slice(0, 2), secret: FIVE.slice(2, 4), grant: FIVE.slice(4) }),
  ...Object.fromEntries(FIVE.map((rule) => [rule.kind, combinePolicies({ grant: [rule] })])),
  query: combinePolicies({ grant: [{ kind: 'query', allow: ['limit', 'after', 'order'], forbid: ['debug'] }] }),
  cel: combinePolicies({ grant: [CEL] }),
  'facts alone': combinePolicies({}),
};

const headers = new HeaderList([
  ...['Host', 'api.example.com', 'User-Agent', 'bench/1', 'Accept', '*/*', 'Content-Type', 'application/json'],
  ...[
    'X-Alter-Grant',
    '0b54d9c5-6c1c-4c1e-9d3c-0a9a5e2f7b11',
    'X-Alter-Context',
    'run_id=7',
    'Accept-Encoding',
    'gzip',
    'Connection',
    'keep-alive',
  ],
]);
const context = { run_id: '7' };
const SYSTEM = { type: 'system', id: '' };

function facts(now) {
  return {
    now,
    method: 'POST',
    scheme: 'https',
    host: 'api.example.com',
    port: 443,
    path: '/v1/chat/completions',
    query: 'limit=20&order=desc',
    headers,
    clientAddress: '127.0.0.1',
    reason: undefined,
    context,
    app: 'default',
    grant: { id: '0b54d9c5-6c1c-4c1e-9d3c-0a9a5e2f7b11', label: 'bench', createdAt: 1_700_000_000_000, secretId: 'ms_0', provider: 'acme' },
    principal: SYSTEM,
    agent: undefined,
  };
}

function microsecondsEach(policy) {
  const rounds = [];
  for (let round = 0; round < ROUNDS + WARM_UP; round += 1) {
    const from = process.cpuUsage();
    for (let i = 0; i < DECISIONS; i += 1) if (!decide(facts(Date.now()), policy).allow) throw new Error('the bench is denied');
    const { user, system } = process.cpuUsage(from);
    if (round >= WARM_UP) rounds.push((user + system) / DECISIONS);
  }
  return rounds.sort((a, b) => a - b)[ROUNDS >> 1];
}

console.log(`Node ${process.version}, microseconds of CPU for one decision`);
for (const [name, policy] of Object.entries(POLICIES)) console.log(`${name.padEnd(30)} ${microsecondsEach(policy).toFixed(2)}`);
