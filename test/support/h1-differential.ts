/**
 * The codec against `node:http`: whatever the codec reads, Node reads too, with the same method, target, fields, body, trailers and end.
 * What only Node reads is counted by the reason for which the codec refused it, and every such reason is explained here.
 */
import { METHODS } from 'node:http';
import type { Asked, Ending, Reading, Transcript } from './h1-reading.ts';
import { readRequests, readResponse } from './h1-reading.ts';
import type { NodeRequestReader, NodeResponseReader, NodeTranscript } from './node-http-reader.ts';

/** Endings of the codec after which Node's server reads on, and why the codec does not. */
export const NODE_ONLY_REQUESTS: Partial<Readonly<Record<Ending, string>>> = {
  tab_behind_length: 'Newer versions of Node take a tab behind Content-Length for nothing.',
  not_persistent: 'Node persists with an HTTP/1.0 client that asks for it; RFC 9112 §9.3 forbids that to a proxy.',
  bare_lf: 'Node skips single line feeds before a request line; other parsers see an empty request line there.',
  bare_cr: 'Node skips single carriage returns before a request line.',
  bad_request_line:
    'Node takes a line without version for HTTP/0.9, other protocols, several spaces, and any number of empty lines in front.',
  bad_version: 'Node takes HTTP/0.9 and HTTP/2.0 in a request line and reads the message as if it were HTTP/1.',
  bad_target: 'Node takes fragments, userinfo, encoded hosts, every scheme, and targets that have none of the four forms.',
  trace_method: 'Node serves TRACE like any method.',
  missing_host: 'Node asks for Host only where no other rule has answered: not of CONNECT.',
  two_hosts: 'Node keeps both Host fields; RFC 9112 §3.2 asks for 400.',
  empty_host: 'Node takes an empty Host; neither http nor https has URLs without a host (RFC 9110 §4.2).',
  te_in_http10: 'Node reads chunks in HTTP/1.0; RFC 9112 §6.1 calls that framing faulty.',
  bad_content_length: 'Node takes leading zeros, which other parsers take for octal.',
  bad_transfer_encoding: 'Node takes lists that end in chunked and an empty value, and ignores the codings of CONNECT.',
  connect_with_body: 'Node ignores the length of a CONNECT request and opens the tunnel behind the head.',
  underscored_framing: 'Node sees an unknown field; a CGI-like server sees Content-Length.',
  connection_names_framing: 'Node ignores what Connection names; a proxy that removes it changes the framing or the routing.',
  bad_connection: 'Node looks for the words it knows and ignores the rest of the list.',
  bad_expectation: 'Node leaves expectations to the application.',
  framing_in_trailers: 'Node keeps every trailer apart from the head; an application that merges them gets another length or host.',
  head_too_long: 'Node has limits of its own, which are wide here.',
  line_too_long: 'Node has no limit for a line.',
  too_many_fields: 'Node has a limit of its own, which is switched off here.',
  chunk_line_too_long: 'Node limits the extensions of a whole body only.',
  bad_chunk_size: 'Node takes any number of leading zeros.',
  bad_chunk_extension: 'Node takes extensions without a name and with white space.',
  chunk_extensions_too_long: 'Node counts the extensions of the chunks in another way.',
  trailers_too_long: 'Node has limits of its own, which are wide here.',
};

/** The same for Node's client. */
export const NODE_ONLY_RESPONSES: Partial<Readonly<Record<Ending, string>>> = {
  bad_status_line: 'Node skips empty lines in front, takes a line without its second space, NUL in a reason, and a status below 100.',
  bad_version: 'Node takes HTTP/0.9 and HTTP/2.0 in a status line.',
  bare_lf: 'Node skips single line feeds before a status line.',
  bare_cr: 'Node 20 takes a second carriage return for the line feed behind a status line.',
  te_in_http10: 'Node reads chunks in HTTP/1.0; RFC 9112 §6.1 calls that framing faulty.',
  bad_content_length: 'Node takes leading zeros.',
  bad_transfer_encoding: 'Node reads an unknown coding until the connection closes, and ignores it where there is no body.',
  body_not_allowed:
    'Node ignores the length of a response that has no body; who does not would wait for it or read the next response as it.',
  unexpected_upgrade: 'Node switches protocols without the fields that say to which.',
  underscored_framing: 'Node sees an unknown field.',
  connection_names_framing: 'Node ignores what Connection names.',
  bad_connection: 'Node looks for the words it knows and ignores the rest of the list.',
  framing_in_trailers: 'Node keeps every trailer apart from the head.',
  head_too_long: 'Node has limits of its own, which are wide here.',
  line_too_long: 'Node has no limit for a line.',
  too_many_fields: 'Node has a limit of its own, which is switched off here.',
  chunk_line_too_long: 'Node limits the extensions of a whole body only.',
  bad_chunk_size: 'Node takes any number of leading zeros.',
  bad_chunk_extension: 'Node takes extensions without a name and with white space.',
  chunk_extensions_too_long: 'Node counts the extensions of the chunks in another way.',
  trailers_too_long: 'Node has limits of its own, which are wide here.',
  too_many_informational: 'Node has no limit for informational responses.',
  informational_in_http10: 'Node takes an informational response in HTTP/1.0 for the last one on its connection.',
  informational_closes: 'Node takes an informational response with Connection: close for the last one on its connection.',
  tab_behind_length: 'Node takes a tab behind Content-Length for nothing, and behind Transfer-Encoding for a part of it.',
};

/** Endings that only some versions of Node show. */
export const SOME_NODES_ONLY_REQUESTS: ReadonlySet<string> = new Set<Ending>(['tab_behind_length']);
export const SOME_NODES_ONLY_RESPONSES: ReadonlySet<string> = new Set<Ending>(['bare_cr', 'tab_behind_length']);

/** Why two readers disagree, in words; undefined when they do not. */
export type Disagreement = string | undefined;

/** How often Node alone read a message, by the ending of the codec. */
export type NodeOnlyCounts = Map<Ending, number>;

const KNOWN_METHODS: ReadonlySet<string> = new Set(METHODS);

export async function compareRequests(bytes: Buffer, node: NodeRequestReader, counts: NodeOnlyCounts): Promise<Disagreement> {
  const ours = readRequests([bytes]);
  // A method is any token (RFC 9110 §9.1); Node knows a list of them.
  if (ours.heads.some(({ method }) => !KNOWN_METHODS.has(method))) return undefined;
  return compare(ours, await node.read(bytes), NODE_ONLY_REQUESTS, counts);
}

export async function compareResponse(
  bytes: Buffer,
  asked: Asked,
  node: NodeResponseReader,
  counts: NodeOnlyCounts,
): Promise<Disagreement> {
  const ours = readResponse([bytes], asked);
  // Node hands every response to CONNECT over at its head, also a refusal, which has a body (RFC 9110 §9.3.6);
  // so the head alone is compared, whatever became of the body behind it.
  const comparable = asked.method === 'CONNECT' ? { ...ours, readings: ours.readings.map(headOnly) } : ours;
  return compare(comparable, await node.read(bytes, asked), NODE_ONLY_RESPONSES, counts);
}

function compare(
  ours: Transcript<unknown>,
  node: NodeTranscript,
  explained: Partial<Record<Ending, string>>,
  counts: NodeOnlyCounts,
): Disagreement {
  const read = ours.readings.filter(({ complete }) => complete);
  const difference = read.map((reading, i) => differs(reading, node.readings[i], i)).find((found) => found !== undefined);
  if (difference !== undefined) return `${difference} (node stopped with ${node.error ?? 'no error'})`;
  if (!node.readings.slice(read.length).some(({ complete }) => complete)) return undefined;
  counts.set(ours.ends, (counts.get(ours.ends) ?? 0) + 1);
  if (explained[ours.ends] !== undefined) return undefined;
  return `only node reads on, where the codec ends with ${ours.ends}: ${excerpt(node.readings.slice(read.length))}`;
}

function headOnly(reading: Reading): Reading {
  return { ...reading, body: '', trailers: [], complete: true };
}

function differs(ours: Reading, node: Reading | undefined, index: number): Disagreement {
  const name = `message ${String(index + 1)}`;
  if (node?.complete !== true) return `${name} is read by the codec only: ${excerpt(ours)}`;
  for (const part of ['start', 'headers', 'body', 'trailers'] as const) {
    if (JSON.stringify(ours[part]) !== JSON.stringify(node[part])) {
      return `${name} has another ${part}: ${excerpt(ours[part])}, and in node ${excerpt(node[part])}`;
    }
  }
  return undefined;
}

function excerpt(value: unknown): string {
  return JSON.stringify(value).slice(0, 500);
}
