/** Grants that come from another grant: clones, delegations, and the one that takes its place. */
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { CommandError } from '../../errors.ts';
import { removeFromHolder } from '../holders.ts';
import { RECORD_VERSION } from '../records.ts';
import type { GrantRecord } from '../records.ts';
import type { SecretFacts } from '../resolved.ts';
import { WRITE_ATTEMPTS } from '../sealed-records.ts';
import { notAllowed, readGrant, updateGrant } from './context.ts';
import type { GrantContext } from './context.ts';
import { checkPrincipal, checkTexts, storeGrant } from './issue.ts';
import { expiryWithin, longestLife } from './life.ts';
import type { AskedLife } from './life.ts';

/** What may be said of a clone. */
export interface CloneOptions extends AskedLife {
  /** That of the source unless told. */
  readonly label?: string;
}

/** What may be said of a delegation. */
export interface DelegateOptions extends AskedLife {
  readonly agent: string;
  /** That of the source unless told. */
  readonly label?: string;
}

/** A second grant for the same principal, with the same rules, that ends no later than its source. */
export async function cloneGrant(context: GrantContext, id: string, options: CloneOptions): Promise<GrantRecord> {
  const { source, secret } = await usableSource(context, id);
  const copy = { ...originOf(source), principal: source.principal, policy: source.policy, clonedFrom: source.id };
  const record = await deriveGrant(context, { source, secret, options, copy });
  await context.trail.record({
    action: 'grant.clone',
    target: record.id,
    label: record.label,
    links: { source: source.id, secret: secret.id },
  });
  return record;
}

/**
 * A grant for an agent to act on behalf of the user or group of `id`. It works only while its source does, under the rules of both, and ends
 * no later. A delegation cannot be delegated: it is an agent's.
 */
export async function delegateGrant(context: GrantContext, id: string, options: DelegateOptions): Promise<GrantRecord> {
  const { source, secret } = await usableSource(context, id);
  if (source.principal.type !== 'user' && source.principal.type !== 'group')
    throw notAllowed(source, `is one of type ${source.principal.type}: only the grants of users and groups can be delegated`);
  const principal = { type: 'agent', agent: options.agent } as const;
  await checkPrincipal(context, principal);
  const record = await deriveGrant(context, { source, secret, options, copy: { principal, policy: [], delegatedFrom: source.id } });
  await context.trail.record({
    action: 'grant.delegate',
    target: record.id,
    label: record.label,
    links: { source: source.id, secret: secret.id, agent: options.agent },
  });
  return record;
}

/**
 * Gives a grant a new id. The old one is deleted at once, or works until `graceMs` from now on have passed, and does not come back. Rejects
 * with CommandError; when two regenerate one grant at the same time, one of them wins.
 */
export async function regenerateGrant(context: GrantContext, id: string, graceMs: number | undefined): Promise<GrantRecord> {
  for (let attempt = 0; attempt < WRITE_ATTEMPTS; attempt++) {
    const { source, secret } = await usableSource(context, id);
    const { replaces: _before, ...kept } = source;
    const now = context.now();
    const record: GrantRecord = { ...kept, id: randomUUID(), createdAt: now, updatedAt: now, replaces: source.id };
    if (!(await replaceGrant(context, { source, secret, record, graceMs }))) continue;
    // Also during the grace: who does not name the old id is to find the new one.
    await removeFromHolder(context.records, source.principal, source.id, now);
    await context.trail.record({
      action: 'grant.regenerate',
      target: record.id,
      label: record.label,
      links: { replaces: source.id, secret: secret.id },
    });
    return record;
  }
  throw new CommandError('record_conflict', `the grant ${id} is being changed by somebody else`);
}

interface Replacement {
  readonly source: GrantRecord;
  readonly secret: SecretFacts;
  readonly record: GrantRecord;
  readonly graceMs: number | undefined;
}

/**
 * Stores `record` and lets its source point to it. False, and nothing is left of `record`, when the source is no longer what was copied: a
 * rule or an expiry that was set meanwhile must hold for the successor too.
 */
async function replaceGrant(context: GrantContext, { source, secret, record, graceMs }: Replacement): Promise<boolean> {
  await storeGrant(context, { record, secret });
  let done = false;
  try {
    const { after } = await updateGrant(context, source.id, (old) =>
      isDeepStrictEqual(old, source) ? replaced(old, record.id, graceMs, context.now()) : old,
    );
    done = after.replacedBy === record.id;
    return done;
  } finally {
    if (!done) {
      await context.records.withdraw('grant', record.id);
      await removeFromHolder(context.records, record.principal, record.id, record.createdAt);
    }
  }
}

function replaced(old: GrantRecord, by: string, graceMs: number | undefined, now: number): GrantRecord {
  checkMayBeSource(old, now);
  const rest = { ...old, replacedBy: by, updatedAt: now };
  if (graceMs === undefined) return { ...rest, status: 'deleted' };
  const end = now + graceMs;
  if (!(graceMs > 0) || !Number.isSafeInteger(end))
    throw new CommandError('record_invalid', 'the grace must be a whole number of milliseconds above 0');
  return { ...rest, expiresAt: Math.min(end, old.expiresAt ?? end) };
}

async function usableSource(context: GrantContext, id: string): Promise<{ source: GrantRecord; secret: SecretFacts }> {
  const source = await readGrant(context, id);
  checkMayBeSource(source, context.now());
  await checkPrincipal(context, source.principal);
  return { source, secret: await context.secrets.usable(source.secretId) };
}

function checkMayBeSource(source: GrantRecord, now: number): void {
  if (source.status !== 'active') throw notAllowed(source, `is ${source.status}`);
  if (source.expiresAt !== undefined && source.expiresAt <= now) throw notAllowed(source, 'has expired');
  if (source.replacedBy !== undefined) throw notAllowed(source, `was replaced by ${source.replacedBy}`);
}

/** A clone of a delegation is a delegation of the same source. */
function originOf({ delegatedFrom, description }: GrantRecord): Partial<GrantRecord> {
  return { ...(delegatedFrom === undefined ? {} : { delegatedFrom }), ...(description === undefined ? {} : { description }) };
}

interface Derivation {
  readonly source: GrantRecord;
  readonly secret: SecretFacts;
  readonly options: AskedLife & { readonly label?: string };
  readonly copy: Pick<GrantRecord, 'principal' | 'policy'> & Partial<GrantRecord>;
}

async function deriveGrant(context: GrantContext, { source, secret, options, copy }: Derivation): Promise<GrantRecord> {
  checkTexts(options);
  const now = context.now();
  const origin =
    copy.delegatedFrom === undefined || copy.delegatedFrom === source.id ? source : await readGrant(context, copy.delegatedFrom);
  checkMayBeSource(origin, now);
  await checkPrincipal(context, origin.principal);
  const ends = [source.expiresAt, origin.expiresAt].filter((end) => end !== undefined);
  const bounds = {
    maxTtlMs: longestLife(secret, context.maxTtlMs),
    notAfter: ends.length === 0 ? undefined : Math.min(...ends),
  };
  const record: GrantRecord = {
    v: RECORD_VERSION,
    id: randomUUID(),
    app: context.records.app,
    secretId: secret.id,
    label: options.label ?? source.label,
    ...copy,
    status: 'active',
    createdAt: now,
    updatedAt: now,
    ...expiryWithin(options, bounds, { issuedAt: now, now }),
  };
  await storeGrant(context, { record, secret });
  return record;
}
