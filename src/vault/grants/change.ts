import type { ChangeAction } from '../../audit/change.ts';
import { CommandError } from '../../errors.ts';
import { removeFromHolder } from '../holders.ts';
import type { GrantRecord } from '../records.ts';
import { notAllowed, readGrant, updateGrant } from './context.ts';
import type { GrantContext } from './context.ts';
import { checkTexts } from './issue.ts';
import { checkMayBeEndless, expiryWithin, longestLife } from './life.ts';
import type { AskedLife, LifeBounds } from './life.ts';

/** What an operator can change of a grant. Its principal and its secret never change. */
export interface GrantEdit extends AskedLife {
  readonly label?: string;
  /** An empty text takes the description away. */
  readonly description?: string;
  /** Takes the expiry away. */
  readonly endless?: boolean;
}

/** What {@link changeGrant} does with a grant. */
export type GrantChange = 'revoke' | 'reactivate' | 'delete' | { readonly edit: GrantEdit };

/** What a change comes to. */
export interface ChangedGrant {
  readonly before: GrantRecord;
  readonly after: GrantRecord;
}

/** Makes one change of a grant, or with `dryRun` says what would come of it. Rejects with CommandError. */
export async function changeGrant(context: GrantContext, id: string, change: GrantChange, dryRun = false): Promise<ChangedGrant> {
  const apply = typeof change === 'string' ? applyStatus(change, context) : await applyEdit(context, id, change.edit);
  if (dryRun) {
    const before = await readGrant(context, id);
    return { before, after: apply(before) };
  }
  const changed = await updateGrant(context, id, apply);
  const { before, after } = changed;
  // Also when it was deleted already: the first attempt may have ended in between.
  if (after.status === 'deleted') await removeFromHolder(context.records, after.principal, after.id, context.now());
  if (after !== before) {
    const action: ChangeAction = `grant.${typeof change === 'string' ? change : 'edit'}`;
    const members = typeof change === 'string' ? ['status'] : changedMembers(before, after);
    await context.trail.record({ action, target: after.id, label: after.label, members });
  }
  return changed;
}

function applyStatus(change: 'revoke' | 'reactivate' | 'delete', { now }: GrantContext): (record: GrantRecord) => GrantRecord {
  const withStatus = (record: GrantRecord, status: GrantRecord['status']): GrantRecord =>
    record.status === status ? record : { ...record, status, updatedAt: now() };
  switch (change) {
    case 'revoke':
      return (record) => (record.status === 'deleted' ? record : withStatus(record, 'revoked'));
    case 'reactivate':
      return (record) => {
        if (record.status === 'deleted') throw notAllowed(record, 'is deleted, and does not come back');
        if (record.replacedBy !== undefined) throw notAllowed(record, `was replaced by ${record.replacedBy}`);
        return withStatus(record, 'active');
      };
    case 'delete':
      return (record) => withStatus(record, 'deleted');
  }
}

async function applyEdit(context: GrantContext, id: string, edit: GrantEdit): Promise<(record: GrantRecord) => GrantRecord> {
  const { description, endless = false, ttlMs, expiresAt } = edit;
  checkTexts({ ...(edit.label === undefined ? {} : { label: edit.label }), ...(description ? { description } : {}) });
  const changesLife = endless || ttlMs !== undefined || expiresAt !== undefined;
  if (endless && (ttlMs !== undefined || expiresAt !== undefined))
    throw new CommandError('record_invalid', 'a grant has an expiry or none, not both');
  const bounds = changesLife ? await boundsOf(context, await readGrant(context, id)) : undefined;
  return (record) => {
    if (record.status === 'deleted') throw notAllowed(record, 'is deleted');
    if (bounds !== undefined && record.replacedBy !== undefined) throw notAllowed(record, `was replaced by ${record.replacedBy}`);
    const { description: described, expiresAt: expires, ...rest } = record;
    const text = description ?? described ?? '';
    const changed: GrantRecord = {
      ...rest,
      ...(edit.label === undefined ? {} : { label: edit.label }),
      ...(text === '' ? {} : { description: text }),
      ...(bounds === undefined ? (expires === undefined ? {} : { expiresAt: expires }) : newExpiry(record, edit, bounds, context.now())),
    };
    return changedMembers(record, changed).length === 0 ? record : { ...changed, updatedAt: context.now() };
  };
}

function newExpiry(record: GrantRecord, edit: GrantEdit, bounds: LifeBounds, now: number): { readonly expiresAt?: number } {
  if (edit.endless !== true) return expiryWithin(edit, bounds, { issuedAt: record.createdAt, now });
  checkMayBeEndless(bounds, record.createdAt);
  return {};
}

/** A grant lives no longer than its secret allows, and a delegation no longer than its source. */
async function boundsOf(context: GrantContext, { secretId, delegatedFrom }: GrantRecord): Promise<LifeBounds> {
  const secret = await context.secrets.show(secretId);
  const source = delegatedFrom === undefined ? undefined : await readGrant(context, delegatedFrom);
  return { maxTtlMs: longestLife(secret, context.maxTtlMs), notAfter: source?.expiresAt };
}

function changedMembers(before: GrantRecord, after: GrantRecord): readonly string[] {
  return (['label', 'description', 'expiresAt'] as const).filter((member) => before[member] !== after[member]);
}
