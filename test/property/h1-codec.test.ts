/** The codec of HTTP/1.1: split invariance, identity of parse and serialise, agreement with Node's own parser. */
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { H1_REQUESTS } from '../corpus/h1-requests.ts';
import { H1_RESPONSES } from '../corpus/h1-responses.ts';
import {
  compareRequests,
  compareResponse,
  NODE_ONLY_REQUESTS,
  NODE_ONLY_RESPONSES,
  SOME_NODES_ONLY_REQUESTS,
  SOME_NODES_ONLY_RESPONSES,
} from '../support/h1-differential.ts';
import { codecProperties, differentialProperties } from '../support/h1-properties.ts';
import { NodeRequestReader, NodeResponseReader } from '../support/node-http-reader.ts';

for (const { name, property } of codecProperties()) {
  test(name, async (t) => {
    await fc.assert(property, { numRuns: 200 });
    t.pass();
  });
}

test.serial(
  'every payload of the corpus: node:http reads whatever the codec reads, and shows every reason why it reads more',
  async (t) => {
    const { requests, responses } = await startServers(t);
    const counts = { requests: new Map(), responses: new Map() };
    for (const { name, bytes } of H1_REQUESTS) {
      t.is(await compareRequests(Buffer.from(bytes, 'latin1'), requests, counts.requests), undefined, name);
    }
    for (const { name, bytes, asked } of H1_RESPONSES) {
      t.is(await compareResponse(Buffer.from(bytes, 'latin1'), asked, responses, counts.responses), undefined, name);
    }
    const shown = (reasons: Iterable<string>, sometimes: ReadonlySet<string>) => [...reasons].filter((own) => !sometimes.has(own)).sort();
    t.deepEqual(shown(counts.requests.keys(), SOME_NODES_ONLY_REQUESTS), shown(Object.keys(NODE_ONLY_REQUESTS), SOME_NODES_ONLY_REQUESTS));
    t.deepEqual(
      shown(counts.responses.keys(), SOME_NODES_ONLY_RESPONSES),
      shown(Object.keys(NODE_ONLY_RESPONSES), SOME_NODES_ONLY_RESPONSES),
    );
  },
);

test.serial('five seconds of generated input, the same each time: node:http reads whatever the codec reads', async (t) => {
  const servers = await startServers(t);
  const properties = differentialProperties(servers, { requests: new Map(), responses: new Map() });
  for (const { property } of properties) {
    await fc.assert(property, { seed: 1, numRuns: 1_000_000, interruptAfterTimeLimit: 2500, markInterruptAsFailure: false });
  }
  t.pass();
});

async function startServers(t: ExecutionContext): Promise<{ requests: NodeRequestReader; responses: NodeResponseReader }> {
  const servers = { requests: await NodeRequestReader.start(), responses: await NodeResponseReader.start() };
  t.teardown(async () => {
    await Promise.all([servers.requests.close(), servers.responses.close()]);
  });
  return servers;
}
