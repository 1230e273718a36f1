import { AlterError } from '../errors.ts';
import type { GrantRecord } from './records.ts';

/** Throws AlterError `grant_deleted`, `grant_revoked` or `grant_expired`, with `rule` when there is one, unless the grant may be used at `now`. */
export function checkUsable({ status, expiresAt }: GrantRecord, now: number, rule?: string): void {
  const why = rule === undefined ? {} : { rule };
  if (status === 'deleted') throw new AlterError('grant_deleted', why);
  if (status === 'revoked') throw new AlterError('grant_revoked', why);
  if (expiresAt !== undefined && now >= expiresAt) throw new AlterError('grant_expired', why);
}
