import { originKey, parseOrigin } from '../message/authority.ts';
import { parseUuid } from '../message/uuid.ts';
import { refText } from '../store/store.ts';
import type { RecordKind, RecordRef } from '../store/store.ts';
import { parseAgent, parseHolder, parseIdp, parseKey } from './access-shapes.ts';
import { ShapeError, deepFreeze, listAt, mapAt, membersOf, ownValue, text, textAt, trueAt, wholeNumberAt, wordAt } from './members.ts';
import type { Members } from './members.ts';
import { isAgentName, isAppName, isExternalId, isFieldName, isLabel, isPolicyTarget, isSecretId, isSecretName, isSlug } from './names.ts';
import { RECORD_VERSION } from './records.ts';
import type { GrantPrincipal, GrantRecord, PolicyRecord, ProviderRecord, RecordTypes, SecretRecord } from './records.ts';
import { RecordUnreadableError } from './record-unreadable.ts';
import { expiryAt, instantsAt, labelAt, optionalAt, policyAt } from './shared-shapes.ts';
import { parseTemplate } from './template-shape.ts';

const PARSERS: { readonly [K in RecordKind]: (from: Members) => RecordTypes[K] } = {
  grant: parseGrant,
  secret: parseSecret,
  key: parseKey,
  provider: parseProvider,
  agent: parseAgent,
  idp: parseIdp,
  policy: parsePolicy,
  holder: parseHolder,
};

/**
 * The opened content of the record at `ref` as a deep-frozen record of its kind. Throws {@link RecordUnreadableError}: `newer_version` when
 * its `v` is higher than this code knows, else `bad_shape`. Members that the shape does not have are left out.
 */
export function parseRecord<K extends RecordKind>(kind: K, ref: RecordRef, value: unknown): RecordTypes[K] {
  try {
    const from = membersOf(value, 'record');
    if (wholeNumberAt(from, 'v', 1) > RECORD_VERSION) throw new RecordUnreadableError(refText(ref), 'newer_version', { member: 'v' });
    return deepFreeze(PARSERS[kind](from));
  } catch (cause) {
    if (cause instanceof ShapeError) throw new RecordUnreadableError(refText(ref), 'bad_shape', { member: cause.member });
    throw cause;
  }
}

function parseGrant(from: Members): GrantRecord {
  return {
    v: RECORD_VERSION,
    id: textAt(from, 'id', (id) => parseUuid(id) === id),
    app: textAt(from, 'app', isAppName),
    secretId: textAt(from, 'secretId', isSecretId),
    label: textAt(from, 'label', isLabel),
    ...optionalAt(from, 'description', labelAt),
    principal: parsePrincipal(membersOf(ownValue(from, 'principal'), 'principal')),
    ...optionalAt(from, 'selfIssued', trueAt),
    policy: policyAt(from),
    status: wordAt(from, 'status', ['active', 'revoked', 'deleted']),
    ...instantsAt(from),
    ...expiryAt(from),
    ...optionalAt(from, 'delegatedFrom', grantIdAt),
    ...optionalAt(from, 'clonedFrom', grantIdAt),
    ...optionalAt(from, 'replaces', grantIdAt),
    ...optionalAt(from, 'replacedBy', grantIdAt),
  };
}

function parseSecret(from: Members): SecretRecord {
  return {
    v: RECORD_VERSION,
    id: textAt(from, 'id', isSecretId),
    app: textAt(from, 'app', isAppName),
    name: textAt(from, 'name', isSecretName),
    provider: textAt(from, 'provider', isSlug),
    fields: mapAt(from, 'fields', isFieldName, (value, name) => text(value, name)),
    origins: listAt(from, 'origins', (item, name) => text(item, name, isOriginKey)),
    policy: policyAt(from),
    ...optionalAt(from, 'maxTtlS', (own, name) => wholeNumberAt(own, name, 1)),
    status: wordAt(from, 'status', ['active', 'revoked', 'deleted']),
    version: wholeNumberAt(from, 'version', 1),
    rotatedAt: wholeNumberAt(from, 'rotatedAt'),
    ...instantsAt(from),
    ...optionalAt(from, 'renewedAt', wholeNumberAt),
    ...optionalAt(from, 'renewal', renewalAt),
  };
}

function renewalAt(from: Members, member: string): { readonly by: string; readonly until: number } {
  const renewal = membersOf(ownValue(from, member), member);
  return { by: textAt(renewal, 'by'), until: wholeNumberAt(renewal, 'until') };
}

function parseProvider(from: Members): ProviderRecord {
  const id = textAt(from, 'id', isSlug);
  const template = parseTemplate(from['template'], 'template');
  if (template.slug !== id) throw new ShapeError('template.slug');
  return { v: RECORD_VERSION, id, app: textAt(from, 'app', isAppName), template, ...instantsAt(from) };
}

function parsePolicy(from: Members): PolicyRecord {
  return {
    v: RECORD_VERSION,
    id: textAt(from, 'id', isPolicyTarget),
    app: textAt(from, 'app', isAppName),
    policy: policyAt(from),
    ...instantsAt(from),
  };
}

function parsePrincipal(from: Members): GrantPrincipal {
  const type = wordAt(from, 'type', ['system', 'user', 'group', 'agent']);
  switch (type) {
    case 'system':
      return { type };
    case 'user':
      return { type, idp: textAt(from, 'idp', isSlug), subject: textAt(from, 'subject', isExternalId) };
    case 'group':
      return { type, idp: textAt(from, 'idp', isSlug), group: textAt(from, 'group', isExternalId) };
    case 'agent':
      return { type, agent: textAt(from, 'agent', isAgentName) };
  }
}

function grantIdAt(from: Members, member: string): string {
  return textAt(from, member, (id) => parseUuid(id) === id);
}

function isOriginKey(candidate: string): boolean {
  try {
    return originKey(parseOrigin(candidate)) === candidate;
  } catch {
    return false;
  }
}
