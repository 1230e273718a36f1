import type { SecretRecord } from './records.ts';

/** Is another one after each change by an operator, also after a revocation that was taken back; a renewed refresh token changes nothing. */
export function lineageOf({ version, updatedAt }: Pick<SecretRecord, 'version' | 'updatedAt'>): string {
  return `${String(version)}.${String(updatedAt)}`;
}
