import { randomUUID } from 'node:crypto';
import { CommandError, notFound } from '../../errors.ts';
import type { Rule } from '../../policy/rules.ts';
import type { Change } from '../change-trail.ts';
import { addToHolder } from '../holders.ts';
import { isAgentName, isExternalId, isLabel, isSlug } from '../names.ts';
import { RECORD_VERSION } from '../records.ts';
import type { GrantPrincipal, GrantRecord } from '../records.ts';
import type { SecretFacts } from '../resolved.ts';
import type { GrantContext } from './context.ts';
import { expiryWithin, longestLife } from './life.ts';
import type { AskedLife } from './life.ts';
import { checkRules } from '../policies.ts';

/** A grant as an operator asks for it. */
export interface NewGrant extends AskedLife {
  /** Id or name. */
  readonly secret: string;
  readonly label: string;
  readonly description?: string;
  /** `system` unless told. */
  readonly principal?: GrantPrincipal;
  readonly policy?: readonly Rule[];
}

/** A grant that is ready to be stored, and the secret that it opens. */
export interface GrantDraft {
  readonly record: GrantRecord;
  readonly secret: SecretFacts;
}

/** Issues a grant. Rejects with CommandError. */
export async function issueGrant(context: GrantContext, input: NewGrant): Promise<GrantRecord> {
  const draft = await draftGrant(context, input);
  await storeGrant(context, draft);
  await context.trail.record(issueOf(draft.record));
  return draft.record;
}

/** Checks everything that can be checked before a grant is stored. */
export async function draftGrant(context: GrantContext, input: NewGrant): Promise<GrantDraft> {
  checkTexts(input);
  const principal = input.principal ?? { type: 'system' };
  const secret = await context.secrets.usable(input.secret);
  await checkPrincipal(context, principal);
  const now = context.now();
  const bounds = { maxTtlMs: longestLife(secret, context.maxTtlMs), notAfter: undefined };
  const record: GrantRecord = {
    v: RECORD_VERSION,
    id: randomUUID(),
    app: context.records.app,
    secretId: secret.id,
    label: input.label,
    ...(input.description === undefined ? {} : { description: input.description }),
    principal,
    policy: soundRules(input.policy),
    status: 'active',
    createdAt: now,
    updatedAt: now,
    ...expiryWithin(input, bounds, { issuedAt: now, now }),
  };
  return { record, secret };
}

/** Stores a new grant. The index of its holder comes first: it may list too much, never too little. */
export async function storeGrant({ records }: GrantContext, { record, secret }: GrantDraft): Promise<void> {
  await addToHolder(records, record.principal, { id: record.id, provider: secret.provider }, record.createdAt);
  if (!(await records.create('grant', record))) throw new CommandError('record_conflict', 'the new id is taken');
}

/** Throws CommandError `record_invalid` for a label or description that cannot be shown. */
export function checkTexts({ label, description }: { readonly label?: string; readonly description?: string }): void {
  if (label !== undefined && !isLabel(label)) throw new CommandError('record_invalid', 'the label must be 1 to 128 printable characters');
  if (description !== undefined && !isLabel(description))
    throw new CommandError('record_invalid', 'the description must be 1 to 128 printable characters');
}

/** What the audit says of a grant that was issued. */
export function issueOf({ id, label, secretId }: GrantRecord): Change {
  return { action: 'grant.issue', target: id, label, links: { secret: secretId } };
}

/** Rejects unless the principal can exist: its identity provider or agent is known to the app. */
export async function checkPrincipal({ records }: GrantContext, principal: GrantPrincipal): Promise<void> {
  switch (principal.type) {
    case 'system':
      return;
    case 'agent':
      return checkAgent(records, principal.agent);
    case 'user':
      return checkExternal(records, principal.idp, principal.subject, 'user');
    case 'group':
      return checkExternal(records, principal.idp, principal.group, 'group');
  }
}

async function checkAgent(records: GrantContext['records'], agent: string): Promise<void> {
  const standing = isAgentName(agent) ? await records.read('agent', agent) : undefined;
  if (standing === undefined || standing.record.status === 'deleted') throw notFound('agent', agent);
}

async function checkExternal(records: GrantContext['records'], idp: string, id: string, what: string): Promise<void> {
  if (!isExternalId(id)) throw new CommandError('record_invalid', `the ${what} must be 1 to 256 printable characters`);
  if (!isSlug(idp) || (await records.read('idp', idp)) === undefined) throw notFound('identity provider', idp);
}

function soundRules(rules: readonly Rule[] = []): readonly Rule[] {
  checkRules(rules);
  return rules;
}
