/**
 * The long random run: npm run fuzz [-- --seconds 600 --seed 1]
 * Each property gets its share of the time, in rounds; a failure is shrunk, printed with the seed that repeats it, and ends with 1.
 */
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { codecProperties, differentialProperties, type NamedProperty } from '../support/h1-properties.ts';
import { NodeRequestReader, NodeResponseReader } from '../support/node-http-reader.ts';

const MAX_ROUND_MS = 2000;

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '600' }, seed: { type: 'string' } } });
const seconds = Number(values.seconds);
const seed = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed);
if (!(seconds > 0) || !Number.isSafeInteger(seed)) throw new Error('--seconds takes a positive number, --seed an integer');

const counts = { requests: new Map<string, number>(), responses: new Map<string, number>() };
const servers = { requests: await NodeRequestReader.start(), responses: await NodeResponseReader.start() };
const properties = [...codecProperties(), ...differentialProperties(servers, counts as Parameters<typeof differentialProperties>[1])];
/** Also a short run gives every property its turn. */
const roundMs = Math.min(MAX_ROUND_MS, (seconds * 1000) / properties.length);
console.log(`seed ${seed}, ${seconds} s, ${properties.length} properties`);

const { runs, failed } = await run(performance.now() + seconds * 1000);
await Promise.all([servers.requests.close(), servers.responses.close()]);
console.log(`${runs} inputs; read by node:http only, by reason of the codec's refusal:`);
for (const [side, reasons] of Object.entries(counts)) console.log(`  ${side}: ${JSON.stringify(Object.fromEntries(reasons))}`);
process.exitCode = failed ? 1 : 0;

async function run(deadline: number): Promise<{ runs: number; failed: boolean }> {
  let total = 0;
  for (let round = 0; performance.now() < deadline; round += 1) {
    const current = properties[round % properties.length]!;
    const details = await check(current, seed + round, Math.min(roundMs, deadline - performance.now()));
    total += details.numRuns;
    if (details.failed) {
      report(current, details);
      return { runs: total, failed: true };
    }
  }
  return { runs: total, failed: false };
}

async function check({ property }: NamedProperty, roundSeed: number, ms: number): Promise<fc.RunDetails<unknown>> {
  return fc.check(property, { seed: roundSeed, numRuns: 10_000_000, interruptAfterTimeLimit: ms, markInterruptAsFailure: false });
}

function report({ name }: NamedProperty, details: fc.RunDetails<unknown>): void {
  console.log(`FAILED: ${name}\n  seed ${details.seed}, path ${details.counterexamplePath ?? ''}`);
  console.log(`  minimal input: ${JSON.stringify(details.counterexample, latin1Buffers)}`);
  const { errorInstance } = details;
  console.log(`  ${errorInstance instanceof Error ? errorInstance.message : 'the property does not hold'}`);
}

/** Buffers as the text they hold, one character an octet. */
function latin1Buffers(_key: string, value: unknown): unknown {
  const isBuffer = typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer' && 'data' in value;
  return isBuffer ? Buffer.from(value.data as number[]).toString('latin1') : value;
}
