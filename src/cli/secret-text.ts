import type { SecretFacts } from '../vault/resolved.ts';
import { isoInstant } from './duration.ts';

/** A secret as JSON for programs: what is known about it, never its value. */
export function secretForPrograms(secret: SecretFacts): Record<string, unknown> {
  const { id, app, name, provider, origins, status, version, maxTtlS } = secret;
  return {
    id, app, name, provider, origins, status, version,
    maxTtlSeconds: maxTtlS ?? null,
    createdAt: isoInstant(secret.createdAt),
    rotatedAt: isoInstant(secret.rotatedAt),
    renewedAt: isoInstant(secret.renewedAt),
    updatedAt: isoInstant(secret.updatedAt),
  }; // prettier-ignore
}
