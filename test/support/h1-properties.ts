/** What holds for every input of the codec, valid or not: for the quick tests and for the long run. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { FieldText } from '../../src/message/h1/field-text.ts';
import { CHUNK_END, chunkHeader, gather, lastChunk, requestHead, responseHead } from '../../src/message/h1/serialise.ts';
import { HeaderList } from '../../src/message/header-list.ts';
import { compareRequests, compareResponse, type NodeOnlyCounts } from './h1-differential.ts';
import {
  cuts,
  mutatedRequests,
  mutatedResponse,
  resemblingRequests,
  resemblingResponses,
  validRequests,
  validResponse,
  type ResponseInput,
} from './h1-grammar.ts';
import { cut, readRequests, readResponse, ResponseReading, singly, type Reading } from './h1-reading.ts';
import type { NodeRequestReader, NodeResponseReader } from './node-http-reader.ts';

/** A property under its name. */
export interface NamedProperty {
  readonly name: string;
  readonly property: fc.IRawProperty<unknown>;
}

const anyRequests = fc.oneof(validRequests, mutatedRequests);
const anyResponse = fc.oneof(validResponse, mutatedResponse);

/** Properties that need nothing but the codec. */
export function codecProperties(): NamedProperty[] {
  return [
    {
      name: 'requests: any split of the bytes gives the same events',
      property: fc.property(anyRequests, cuts, (bytes, offsets) => sameInPieces(bytes, offsets, (pieces) => readRequests(pieces))),
    },
    {
      name: 'responses: any split of the bytes gives the same events',
      property: fc.property(anyResponse, cuts, ({ bytes, asked }, offsets) =>
        sameInPieces(bytes, offsets, (pieces) => readResponse(pieces, asked)),
      ),
    },
    {
      name: 'requests: what is valid is read to its end',
      property: fc.property(validRequests, (bytes) => isReadToItsEnd(readRequests([bytes]))),
    },
    {
      name: 'responses: what is valid is read to its end',
      property: fc.property(validResponse, ({ bytes, asked }) => isReadToItsEnd(readResponse([bytes], asked))),
    },
    {
      name: 'requests: what came before on the connection changes nothing, however much it resembles',
      property: fc.property(resemblingRequests, ([before, next]) => requestsAreReadAfresh(before, next)),
    },
    {
      name: 'responses: what came before on the connection changes nothing, however much it resembles',
      property: fc.property(resemblingResponses, ([before, next]) => responseIsReadAfresh(before, next)),
    },
    {
      name: 'what left before on the connection changes nothing in the text of a message',
      property: fc.property(fc.array(resemblingRequests, { minLength: 1, maxLength: 3 }), textIsWrittenAfresh),
    },
    { name: 'requests: parse, serialise and parse again is the identity', property: fc.property(anyRequests, requestsSurvive) },
    {
      name: 'responses: parse, serialise and parse again is the identity',
      property: fc.property(validResponse, ({ bytes }) => responseSurvives(bytes)),
    },
  ];
}

/** Properties that compare with Node. */
export function differentialProperties(
  servers: { readonly requests: NodeRequestReader; readonly responses: NodeResponseReader },
  counts: { readonly requests: NodeOnlyCounts; readonly responses: NodeOnlyCounts },
): NamedProperty[] {
  return [
    {
      name: 'requests: node:http reads whatever the codec reads',
      property: fc.asyncProperty(anyRequests, async (bytes) => agree(await compareRequests(bytes, servers.requests, counts.requests))),
    },
    {
      name: 'responses: node:http reads whatever the codec reads',
      property: fc.asyncProperty(anyResponse, async ({ bytes, asked }) =>
        agree(await compareResponse(bytes, asked, servers.responses, counts.responses)),
      ),
    },
  ];
}

function agree(disagreement: string | undefined): void {
  if (disagreement !== undefined) throw new Error(disagreement);
}

function sameInPieces(bytes: Buffer, offsets: readonly number[], read: (pieces: readonly Buffer[]) => unknown): boolean {
  const whole = read([bytes]);
  return isDeepStrictEqual(read(cut(bytes, offsets)), whole) && isDeepStrictEqual(read(singly(bytes)), whole);
}

/** Both are known well: the one before came three times. */
function requestsAreReadAfresh(before: Buffer, next: Buffer): boolean {
  const known = readRequests([before, before, before]);
  if (known.ends !== 'clean') return true;
  const all = readRequests([before, before, before, next, before]);
  const fresh = readRequests([next, before]);
  return isDeepStrictEqual([all.readings.slice(known.readings.length), all.ends], [fresh.readings, fresh.ends]);
}

function responseIsReadAfresh(before: ResponseInput, next: ResponseInput): boolean {
  const connection = new ResponseReading();
  for (let i = 0; i < 3; i += 1) {
    if (i > 0 && !connection.goesOn) return true;
    connection.read([before.bytes], before.asked, false);
  }
  if (!connection.goesOn) return true;
  return isDeepStrictEqual(connection.read([next.bytes], next.asked, true), readResponse([next.bytes], next.asked));
}

function textIsWrittenAfresh(all: readonly (readonly [Buffer, Buffer])[]): boolean {
  const text = new FieldText();
  const heads = all.flatMap(([before, next]) => readRequests([before, before, before, before, before, next, next, next, before]).heads);
  return heads.every(({ method, target, headers, bodyLength }) => {
    const fields = withoutCoding(headers);
    return requestHead(method, target, fields, bodyLength, false, text) === requestHead(method, target, fields, bodyLength);
  });
}

function isReadToItsEnd({ readings, ends }: { readonly readings: readonly Reading[]; readonly ends: string }): boolean {
  return (ends === 'clean' || ends === 'not_persistent') && readings.length > 0 && readings.every(({ complete }) => complete);
}

function requestsSurvive(bytes: Buffer): boolean {
  const first = readRequests([bytes]);
  const complete = first.readings.filter((reading) => reading.complete).map(withHost);
  const parts = complete.flatMap((reading, i) => {
    const { method, target, bodyLength } = first.heads[i]!;
    const headers = new HeaderList([...reading.headers]);
    return [requestHead(method, target, withoutCoding(headers), bodyLength), ...bodyParts(reading, bodyLength.kind)];
  });
  return sameReadings(complete, readRequests([gather(parts)]).readings);
}

function responseSurvives(bytes: Buffer): boolean {
  const asked = { method: 'GET', upgrade: false };
  const { heads, readings } = readResponse([bytes], asked);
  const parts = readings.flatMap((reading, i) => {
    const { status, reason, headers, bodyLength } = heads[i]!;
    return [responseHead(status, reason, withoutCoding(headers), bodyLength), ...bodyParts(reading, bodyLength.kind)];
  });
  return sameReadings(readings, readResponse([gather(parts)], asked).readings);
}

/** The codec writes HTTP/1.1, which needs a Host where 1.0 did not. */
function withHost(reading: Reading): Reading {
  if (new HeaderList([...reading.headers]).has('host')) return reading;
  return { ...reading, headers: [...reading.headers, 'Host', 'a.test'] };
}

/** The serialiser writes Transfer-Encoding itself. */
function withoutCoding(headers: HeaderList): HeaderList {
  const copy = headers.kept(() => true);
  copy.delete('transfer-encoding');
  return copy;
}

function bodyParts({ body, trailers }: Reading, kind: string): (string | Buffer)[] {
  if (kind !== 'chunked') return [Buffer.from(body, 'latin1')];
  const data = body === '' ? [] : [chunkHeader(body.length), Buffer.from(body, 'latin1'), CHUNK_END];
  return [...data, lastChunk(trailers.length === 0 ? undefined : new HeaderList([...trailers]))];
}

/** Equal but for the spelling and the place of Transfer-Encoding. */
function sameReadings(before: readonly Reading[], after: readonly Reading[]): boolean {
  return isDeepStrictEqual(after.map(comparable), before.map(comparable));
}

function comparable(reading: Reading): Reading {
  const headers = withoutCoding(new HeaderList([...reading.headers]));
  return { ...reading, headers: headers.flat() };
}
