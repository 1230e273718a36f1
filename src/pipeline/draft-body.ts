import { hash } from 'node:crypto';
import type { DraftBody } from '../inject/injector.ts';
import type { BodyLength, BodySource, BodyTransform } from '../message/body.ts';
import { MemoryBody } from '../message/memory-body.ts';
import type { OutboundRequest } from '../message/request.ts';
import { TransformedBody } from '../message/transformed-body.ts';
import type { RequestBody } from './request-body.ts';

/** What a body tells its request about its length. */
type Framed = Pick<OutboundRequest, 'headers' | 'bodyLength'>;

/** An outbound request whose body injection may read and change. */
export interface OutboundDraft extends OutboundRequest {
  readonly body?: LeavingBody;
  /** As in the draft of an injector. */
  signatures?: readonly string[];
}

/** The body of one outbound request: that of the client, or what injection makes of it. */
export class LeavingBody implements DraftBody {
  readonly #client: RequestBody;
  readonly #request: Framed;
  #replacement: Buffer | undefined;
  #transform: { readonly by: BodyTransform; readonly length: BodyLength } | undefined;

  constructor(client: RequestBody, request: Framed) {
    this.#client = client;
    this.#request = request;
  }

  async read(maxBytes: number): Promise<Buffer> {
    if (this.#transform !== undefined) throw new Error('a body that flows through a transform cannot be read');
    const content = await this.#client.read(maxBytes);
    if (this.#replacement === undefined) frame(this.#request, { kind: 'length', bytes: content.length });
    return this.#replacement ?? content;
  }

  async digest(algorithm: 'sha256', maxBytes: number): Promise<string> {
    if (this.#transform !== undefined) throw new Error('a body that flows through a transform cannot be hashed');
    const { sha256, bytes } = await this.#client.digest(maxBytes);
    if (this.#replacement !== undefined) return hash(algorithm, this.#replacement, 'hex');
    frame(this.#request, { kind: 'length', bytes });
    return sha256;
  }

  replace(content: Buffer): void {
    if (this.#client.content === undefined) throw new Error('a body that was not read cannot be replaced');
    this.#replacement = content;
    frame(this.#request, { kind: 'length', bytes: content.length });
  }

  transform(by: BodyTransform, length: BodyLength): void {
    if (this.#transform !== undefined) throw new Error('a body can flow through one transform only');
    this.#transform = { by, length };
    frame(this.#request, length);
  }

  /** The body as it leaves. */
  leaving(): BodySource {
    const source = this.#replacement === undefined ? this.#client.leaving() : new MemoryBody(this.#replacement);
    return this.#transform === undefined ? source : new TransformedBody(source, this.#transform.by, this.#transform.length);
  }
}

/** The request, with a body that injection may read and change. */
export function draftOf(request: OutboundRequest, body: RequestBody): OutboundDraft {
  const draft: OutboundRequest & { body?: LeavingBody } = { ...request };
  draft.body = new LeavingBody(body, draft);
  if (body.wholeBytes !== undefined) frame(draft, { kind: 'length', bytes: body.wholeBytes });
  return draft;
}

/** A request that shares nothing that can change with `request`. */
export function copyOf({ method, origin, url, headers, bodyLength, acceptsTrailers }: OutboundRequest): OutboundRequest {
  return { method, origin, url, headers: headers.kept(() => true), bodyLength, acceptsTrailers };
}

/** Makes a request say of its body what is so. A client's Content-Length goes when it no longer holds; the writer adds the right one. */
export function frame(request: Framed, length: BodyLength): void {
  const before = request.bodyLength;
  if (before.kind === 'length' && length.kind === 'length' && before.bytes === length.bytes) return;
  request.headers.delete('Content-Length');
  request.bodyLength = length;
}
