import { AlterError } from '../errors.ts';
import type { H1Error } from '../message/h1/error.ts';

/** The refusal for a request that cannot be read as HTTP/1.1, or that takes too long to arrive. */
export function headRefusal(error: H1Error | 'slow'): AlterError {
  if (error === 'slow') return new AlterError('request_timeout');
  switch (error.kind) {
    case 'head_too_large':
      return new AlterError('header_too_large', { detail: error.message });
    case 'method_not_supported':
      return new AlterError('method_not_supported');
    case 'malformed':
    case 'truncated':
      return new AlterError('malformed_request', { detail: error.message });
  }
}
