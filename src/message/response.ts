import type { HeaderList } from './header-list.ts';

/** Head of a response. */
export interface ResponseHead {
  readonly status: number;
  readonly reason: string;
  readonly headers: HeaderList;
}
