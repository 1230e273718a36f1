/** The codec of HTTP/1.1: split invariance, identity of parse and serialise, agreement with Node's own parser. */
import test from 'ava';
import fc from 'fast-check';
import { H1_REQUESTS } from '../corpus/h1-requests.ts';
import { H1_RESPONSES } from '../corpus/h1-responses.ts';
import { compareRequests, compareResponse } from '../support/h1-differential.ts';
import { codecProperties, differentialProperties } from '../support/h1-properties.ts';
import { NodeRequestReader, NodeResponseReader } from '../support/node-http-reader.ts';

for (const { name, property } of codecProperties()) {
  test(name, (t) => {
    fc.assert(property, { numRuns: 400 });
    t.pass();
  });
}

test.serial('every payload of the corpus: node:http reads whatever the codec reads', async (t) => {
  const requests = await NodeRequestReader.start();
  const responses = await NodeResponseReader.start();
  for (const { name, bytes } of H1_REQUESTS) {
    t.is(await compareRequests(Buffer.from(bytes, 'latin1'), requests, new Map()), undefined, name);
  }
  for (const { name, bytes, asked } of H1_RESPONSES) {
    t.is(await compareResponse(Buffer.from(bytes, 'latin1'), asked, responses, new Map()), undefined, name);
  }
  await Promise.all([requests.close(), responses.close()]);
});

test.serial('five seconds of random input: node:http reads whatever the codec reads', async (t) => {
  const servers = { requests: await NodeRequestReader.start(), responses: await NodeResponseReader.start() };
  const properties = differentialProperties(servers, { requests: new Map(), responses: new Map() });
  for (const { property } of properties) {
    await fc.assert(property, { numRuns: 1_000_000, interruptAfterTimeLimit: 2500, markInterruptAsFailure: false });
  }
  await Promise.all([servers.requests.close(), servers.responses.close()]);
  t.pass();
});
