import { TLSSocket } from 'node:tls';

/**
 * The server's side of a TLS connection that hands each piece that was decrypted straight to its reader, while that takes all there is. A stream would
 * ask itself after each one, in a tick of its own, whether it should read on, which the handle does anyway: a part of what a small request costs.
 */
export class DirectTlsSocket extends TLSSocket {
  /** Called with what was read; null: the client sends no more. */
  override push(chunk: Buffer | null, encoding?: BufferEncoding): boolean {
    if (chunk === null || this.readableFlowing !== true || this.readableLength > 0) return super.push(chunk, encoding);
    this.emit('data', chunk);
    // A reader that pauses gets no more: what comes next waits in the stream, which stops the handle when it is full.
    return true;
  }
}
