/** What the primary process of `start` and its workers say to each other. */
import type { ListenAddress } from '../../app.ts';
import type { ErrorReport } from '../report-error.ts';
import type { SentConfig } from './sent-config.ts';

/** What a worker is asked. It answers with what is wrong. */
export type Question =
  | { readonly about: 'life' }
  | { readonly about: 'readiness' }
  /** Take this configuration over, or keep the one that is in force. */
  | { readonly about: 'reload'; readonly config: SentConfig };

/** From the primary to a worker. */
export type ToWorker =
  | { readonly type: 'start'; readonly config: SentConfig }
  | { readonly type: 'ask'; readonly id: number; readonly question: Question }
  /** Drain and end. */
  | { readonly type: 'stop' };

/** From a worker to the primary. */
export type FromWorker =
  /** It reads messages from now on. */
  | { readonly type: 'listening' }
  | { readonly type: 'ready'; readonly address: ListenAddress }
  /** It could not start, and ends. */
  | { readonly type: 'failed'; readonly report: ErrorReport }
  /** Nothing is wrong when the list is empty. */
  | { readonly type: 'answer'; readonly id: number; readonly wrong: readonly string[] };
