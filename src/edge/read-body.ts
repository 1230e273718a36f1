import { AlterError } from '../errors.ts';
import { BodyCollector } from '../message/body-collector.ts';
import type { BodySource } from '../message/body.ts';

/**
 * All bytes of a body, which is then read no further. Rejects with AlterError `grant_request_too_large` beyond `maxBytes`, and with what
 * ended a body before its time.
 */
export function readBody(source: BodySource | undefined, maxBytes: number): Promise<Buffer> {
  if (source === undefined) return Promise.resolve(Buffer.alloc(0));
  return new Promise((done, failed) => {
    const tooLarge = (): AlterError => new AlterError('grant_request_too_large');
    new BodyCollector(source, { maxBytes, take: () => true, done, failed, tooLarge }).start();
  });
}
