import type { BodySink, BodySource } from '../../src/message/body.ts';
import type { HeaderList } from '../../src/message/header-list.ts';

/** A source that a test works by hand. */
export class HandSource implements BodySource {
  sink: BodySink | undefined;
  resumed = 0;
  cancelled: Error | undefined;

  start(sink: BodySink): void {
    this.sink = sink;
  }

  resume(): void {
    this.resumed += 1;
  }

  cancel(cause: Error): void {
    this.cancelled = cause;
  }
}

/** A sink that keeps what it is told. */
export class KeepingSink implements BodySink {
  readonly chunks: Buffer[] = [];
  /** What `write` answers. */
  takes = true;
  ends: (HeaderList | undefined)[] = [];
  aborts: Error[] = [];

  get text(): string {
    return Buffer.concat(this.chunks).toString();
  }

  write(chunk: Buffer): boolean {
    this.chunks.push(chunk);
    return this.takes;
  }

  end(trailers?: HeaderList): void {
    this.ends.push(trailers);
  }

  abort(cause: Error): void {
    this.aborts.push(cause);
  }
}
