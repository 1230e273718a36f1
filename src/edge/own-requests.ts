import { STATUS_CODES } from 'node:http';
import { AlterError } from '../errors.ts';
import { parseOwnAuthorization } from '../message/alter-headers.ts';
import type { H1RequestHead } from '../message/h1/request-parser.ts';
import { HeaderList } from '../message/header-list.ts';
import { newRequestId } from '../message/request-id.ts';
import { KEY_DEPRECATED } from '../principals/caller.ts';
import type { Caller } from '../principals/caller.ts';
import { Secret } from '../secret/secret.ts';
import type { Connection } from './connection.ts';
import type { H1Stream } from './h1-stream.ts';
import { problemAnswer } from './problem.ts';
import type { ProblemAnswer } from './problem.ts';
import { readBody } from './read-body.ts';
import { recordRefusal } from './record-refusal.ts';
import type { EdgeServices, OwnAnswer } from './services.ts';

/** Below this the proxy answers for itself. Clients that take it for a web server ask for other things, too. */
const OWN_SPACE = '/v1/';

/**
 * Whether the request is meant for the proxy itself: in origin form on its own port. In absolute form, or inside CONNECT, a request is
 * always one for somebody else.
 */
export function isOwnRequest({ target }: H1RequestHead, { inner }: Connection): boolean {
  return inner === undefined && target.startsWith(OWN_SPACE);
}

/**
 * Takes requests to the proxy itself. Only a key in the request speaks here, never the proxy's own key: a page in a browser on this machine
 * can call the port, but has no key. For the same reason no answer carries a CORS field.
 */
export class OwnRequests {
  readonly #services: EdgeServices;
  readonly #draining: () => boolean;

  constructor(services: EdgeServices, draining: () => boolean) {
    this.#services = services;
    this.#draining = draining;
  }

  /** Takes one request. Every path ends in an answer; a refusal is recorded. */
  handle(head: H1RequestHead, stream: H1Stream, connection: Connection): void {
    const id = newRequestId();
    const startedAt = this.#services.now();
    let caller: Caller | undefined;
    const known = (who: Caller): void => {
      caller = who;
    };
    let gone = false;
    stream.listen({
      drain: () => undefined,
      gone: () => {
        gone = true;
      },
    });
    const answer = (problem: ProblemAnswer): void => {
      if (!gone) send(stream, head, problem);
    };
    this.#answer(head, stream, connection, known).then(
      (own) => {
        answer(ownAnswer(own, caller));
      },
      (cause: unknown) => {
        const refused = { id, startedAt, head, connection, challenge: 'request', caller, origin: undefined } as const;
        const error = recordRefusal(this.#services, refused, cause);
        answer(problemAnswer(error, id, 'request', caller));
      },
    );
  }

  async #answer(head: H1RequestHead, stream: H1Stream, { peer }: Connection, known: (caller: Caller) => void): Promise<OwnAnswer> {
    if (this.#draining()) throw new AlterError('shutting_down');
    const { method, target, headers, bodyLength } = head;
    const presented = parseOwnAuthorization(headers);
    if (presented === undefined) {
      throw new AlterError('invalid_key', { rule: 'key_missing', detail: 'the request needs Authorization: Bearer alter_key_agent_…' });
    }
    const caller = await this.#services.authenticate(new Secret(presented), peer);
    known(caller);
    const [contentType, ...more] = headers.getAll('content-type');
    const body = (maxBytes: number): Promise<Buffer> => {
      // A body that says that it is too long is not even begun.
      if (bodyLength.kind === 'length' && bodyLength.bytes > maxBytes) throw new AlterError('grant_request_too_large');
      return readBody(stream.body, maxBytes);
    };
    return await this.#services.own({
      ...{ method, target, caller, contentType: more.length === 0 ? contentType : undefined },
      readBody: async (maxBytes) => body(maxBytes),
    });
  }
}

function ownAnswer({ status, document }: OwnAnswer, caller: Caller | undefined): ProblemAnswer {
  const body = Buffer.from(`${JSON.stringify(document)}\n`);
  const headers = [
    ...['Content-Type', 'application/json'],
    ...['Content-Length', String(body.length)],
    ...['Cache-Control', 'no-store'],
    ...(caller?.deprecated === true ? [KEY_DEPRECATED, 'true'] : []),
  ];
  return { status, headers, body };
}

function send(stream: H1Stream, { method }: H1RequestHead, { status, headers, body }: ProblemAnswer): void {
  stream.head({ status, reason: STATUS_CODES[status] ?? '', headers: new HeaderList(headers) });
  if (method !== 'HEAD') stream.write(body);
  stream.end();
}
