import { AlterError } from '../errors.ts';
import type { Origin } from '../message/authority.ts';
import type { H1RequestHead } from '../message/h1/request-parser.ts';
import type { Caller } from '../principals/caller.ts';
import type { Connection } from './connection.ts';
import { answerStatus } from './problem.ts';
import type { KeyChallenge } from './problem.ts';
import type { EdgeServices } from './services.ts';

/** A request that is refused before it is an exchange. */
export interface RefusedRequest {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly head: H1RequestHead;
  readonly connection: Connection;
  readonly challenge: KeyChallenge;
  readonly caller: Caller | undefined;
  readonly origin: Origin | undefined;
}

/** Records the refusal of a request, whether or not the client still hears of it; returns the error to answer with. */
export function recordRefusal(services: Pick<EdgeServices, 'refused'>, request: RefusedRequest, cause: unknown): AlterError {
  const { id, startedAt, head, connection, challenge, caller, origin } = request;
  const error = cause instanceof AlterError ? cause : new AlterError('internal_error', { cause });
  const { method, version } = head;
  const protocol = `http/${version}`;
  const status = answerStatus(error, challenge);
  services.refused({ id, startedAt, type: 'request', peer: connection.peer, caller, protocol, method, origin, error, status });
  return error;
}
