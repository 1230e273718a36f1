import { AlterError } from '../errors.ts';

/** The refusal of a request that is malformed or ambiguous. `detail` says what is wrong and quotes nothing of the request. */
export function malformed(detail: string): AlterError {
  return new AlterError('malformed_request', { detail });
}
