import { AlterError } from '../errors.ts';
import type { Origin } from '../message/authority.ts';
import type { BodySource } from '../message/body.ts';
import { HeaderList } from '../message/header-list.ts';
import { hostField } from '../message/host-field.ts';
import { MemoryBody } from '../message/memory-body.ts';
import { newRequestId } from '../message/request-id.ts';
import { canonicalUrl } from '../message/url.ts';
import type { ResponseHead } from '../message/response.ts';
import type { Caller } from '../principals/caller.ts';
import type { ResolvedGrant } from '../vault/resolved.ts';
import type { ClientEvents, ClientStream } from './client-stream.ts';
import { beginExchange } from './exchange.ts';
import type { Exchange } from './exchange.ts';
import type { Serve } from './serve.ts';

/** A request that the proxy makes of its own, to see whether a credential works. */
export interface TestCall {
  readonly resolved: ResolvedGrant;
  readonly caller: Caller;
  readonly origin: Origin;
  readonly method: string;
  /** Path, and query if there is one. */
  readonly target: string;
  /** JSON text. */
  readonly body: string | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** What became of it. */
export interface TestAnswer {
  /** Id of the audit event. */
  readonly id: string;
  /** The provider's status; undefined when there was no answer. */
  readonly status: number | undefined;
  readonly error: AlterError | undefined;
}

/** How much of an answer is read: its status is known, and only a whole answer ends the exchange in good order. */
const MAX_ANSWER_BYTES = 1024 * 1024;

/** Sends a test call through `serve`. Nothing of the answer but its status is kept. */
export function runTestCall(serve: Serve, call: TestCall): Promise<TestAnswer> {
  const exchange = exchangeOf(call);
  return new Promise((resolve) => {
    serve(
      exchange,
      new TestClient(call.body, (status, error) => {
        resolve({ id: exchange.id, status, error });
      }),
    );
  });
}

function exchangeOf({ resolved, caller, origin, method, target, body, now }: TestCall): Exchange {
  const url = canonicalUrl(target);
  const headers = (): HeaderList => {
    const list = new HeaderList(['User-Agent', 'alter-proxy', 'Accept', '*/*']);
    list.add(hostField(origin));
    if (body === undefined) return list;
    list.append('Content-Type', 'application/json');
    list.append('Content-Length', String(Buffer.byteLength(body)));
    return list;
  };
  const bodyLength = body === undefined ? ({ kind: 'none' } as const) : ({ kind: 'length', bytes: Buffer.byteLength(body) } as const);
  const exchange = beginExchange({
    id: newRequestId(),
    startedAt: now,
    peer: { address: '127.0.0.1', port: 0 },
    clientAddress: undefined,
    caller,
    stillCalls: () => caller,
    request: { protocol: 'http/1.1', method, origin, url, headers: headers(), bodyLength, acceptsTrailers: false },
    alter: {
      grantId: undefined,
      provider: undefined,
      userToken: undefined,
      reason: 'secret test',
      caller: undefined,
      context: undefined,
    },
    outbound: { method, origin, url, headers: headers(), bodyLength, acceptsTrailers: false },
  });
  exchange.resolved = resolved;
  return exchange;
}

/** Who waits for the answer to a test call: it reads the status and forgets the rest. */
class TestClient implements ClientStream {
  readonly body: BodySource | undefined;
  readonly #ended: (status: number | undefined, error: AlterError | undefined) => void;
  #events: ClientEvents | undefined;
  #status: number | undefined;
  #bytes = 0;

  constructor(body: string | undefined, ended: (status: number | undefined, error: AlterError | undefined) => void) {
    this.body = body === undefined ? undefined : new MemoryBody(Buffer.from(body));
    this.#ended = ended;
  }

  listen(events: ClientEvents): void {
    this.#events = events;
  }

  informational(): void {
    // Only the final status counts.
  }

  head({ status }: ResponseHead): void {
    this.#status = status;
  }

  write(chunk: Buffer): boolean {
    this.#bytes += chunk.length;
    if (this.#bytes > MAX_ANSWER_BYTES) {
      this.#events?.gone();
      this.#ended(this.#status, undefined);
    }
    return true;
  }

  end(): void {
    this.#ended(this.#status, undefined);
  }

  refuse(error: AlterError): void {
    this.#ended(undefined, error);
  }

  retract(): boolean {
    return false;
  }

  cut(): void {
    this.#ended(undefined, new AlterError('upstream_protocol_error', { detail: 'the answer broke off' }));
  }
}
