import { createHash } from 'node:crypto';
import type { Draft, DraftBody } from '../../src/inject/injector.ts';
import { draftOf } from './injection.ts';
import { headers } from './headers.ts';

/** A draft whose body lies here, and what became of it. */
export interface DraftWithBody {
  readonly draft: Draft;
  /** What would leave. */
  content(): string;
  /** Caps that were asked for. */
  readonly caps: number[];
}

/** A POST with a body. `bytes`: not text. */
export function draftWithBody(target: string, body: string | Buffer, ...lines: readonly string[]): DraftWithBody {
  let content: Buffer = Buffer.from(body);
  const caps: number[] = [];
  const held: DraftBody = {
    read: (maxBytes) => {
      caps.push(maxBytes);
      return Promise.resolve(content);
    },
    digest: (algorithm, maxBytes) => {
      caps.push(maxBytes);
      return Promise.resolve(createHash(algorithm).update(content).digest('hex'));
    },
    replace: (replacement) => {
      content = replacement;
    },
    transform: () => {
      throw new Error('nothing is transformed here');
    },
  };
  const draft: Draft = {
    ...draftOf(target, headers(...lines)),
    method: 'POST',
    bodyLength: { kind: 'length', bytes: content.length },
    body: held,
  };
  return { draft, content: () => content.toString('utf8'), caps };
}
