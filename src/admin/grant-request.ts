import { AlterError } from '../errors.ts';
import { parseDuration, parseInstant } from '../message/duration.ts';
import type { AgentGrantRequest } from '../vault/grants/for-agent.ts';

const MEMBERS = ['secret', 'label', 'ttl', 'expires_at'] as const;

type Members = Partial<Record<(typeof MEMBERS)[number], string>>;

/**
 * The grant that a body asks for: `{"secret":"stripe","label":"nightly","ttl":"1h"}`, with `expires_at` in place of `ttl`, or neither.
 * Throws AlterError `grant_request_invalid`.
 */
export function parseGrantRequest(body: Buffer): AgentGrantRequest {
  const { secret, label, ttl, expires_at: expiresAt } = membersOf(body);
  if (secret === undefined || label === undefined) throw invalid('"secret" and "label" must be there');
  if (ttl !== undefined && expiresAt !== undefined) throw invalid('"ttl" and "expires_at" exclude each other');
  return { secret, label, ...ttlOf(ttl), ...expiryOf(expiresAt) };
}

function membersOf(body: Buffer): Members {
  const parsed = parseJson(body);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw invalid('the body must be a JSON object');
  const known: readonly string[] = MEMBERS;
  for (const [name, value] of Object.entries(parsed)) {
    if (!known.includes(name)) throw invalid(`the members are ${MEMBERS.map((member) => `"${member}"`).join(', ')}, and no others`);
    if (typeof value !== 'string') throw invalid(`"${name}" must be a string`);
  }
  return parsed;
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (cause) {
    throw new AlterError('grant_request_invalid', { detail: 'the body must be a JSON object in UTF-8', cause });
  }
}

function ttlOf(text: string | undefined): { readonly ttlMs?: number } {
  if (text === undefined) return {};
  const ttlMs = parseDuration(text);
  if (ttlMs === undefined) throw invalid('"ttl" must be a duration such as 45s, 30m, 12h, 30d or 1h30m');
  return { ttlMs };
}

function expiryOf(text: string | undefined): { readonly expiresAt?: number } {
  if (text === undefined) return {};
  const expiresAt = parseInstant(text);
  if (expiresAt === undefined) throw invalid('"expires_at" must be an instant such as 2027-01-31T18:00:00Z');
  return { expiresAt };
}

function invalid(detail: string): AlterError {
  return new AlterError('grant_request_invalid', { detail });
}
