import { originKey, parseOrigin } from '../message/authority.ts';
import { parseUuid } from '../message/uuid.ts';
import type { Rule } from '../policy/rules.ts';
import { refText } from '../store/store.ts';
import type { RecordKind, RecordRef } from '../store/store.ts';
import { ShapeError, deepFreeze, listAt, mapAt, membersOf, optionalWholeNumberAt, text, textAt, wholeNumberAt, wordAt } from './members.ts';
import type { Members } from './members.ts';
import { isAppName, isFieldName, isKeyId, isLabel, isSecretId, isSecretName, isSlug } from './names.ts';
import { RECORD_VERSION } from './records.ts';
import type { GrantRecord, KeyRecord, ProviderRecord, RecordTypes, SecretRecord } from './records.ts';
import { RecordUnreadableError } from './record-unreadable.ts';
import { parseTemplate } from './template-shape.ts';

const PARSERS: { readonly [K in RecordKind]: (from: Members) => RecordTypes[K] } = {
  grant: parseGrant,
  secret: parseSecret,
  key: parseKey,
  provider: parseProvider,
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
  const principal = membersOf(from['principal'], 'principal');
  return {
    v: RECORD_VERSION,
    id: textAt(from, 'id', (id) => parseUuid(id) === id),
    app: textAt(from, 'app', isAppName),
    secretId: textAt(from, 'secretId', isSecretId),
    label: textAt(from, 'label', isLabel),
    principal: { type: wordAt(principal, 'type', ['system']) },
    policy: listAt(from, 'policy', parseRule),
    status: wordAt(from, 'status', ['active', 'revoked', 'deleted']),
    ...instants(from),
    ...expiry(from),
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
    status: wordAt(from, 'status', ['active', 'revoked', 'deleted']),
    version: wholeNumberAt(from, 'version', 1),
    rotatedAt: wholeNumberAt(from, 'rotatedAt'),
    ...instants(from),
  };
}

function parseKey(from: Members): KeyRecord {
  return {
    v: RECORD_VERSION,
    id: textAt(from, 'id', isKeyId),
    app: textAt(from, 'app', isAppName),
    type: wordAt(from, 'type', ['app']),
    name: textAt(from, 'name', isLabel),
    prefix: textAt(from, 'prefix', isLabel),
    status: wordAt(from, 'status', ['active', 'revoked']),
    ...instants(from),
    ...expiry(from),
  };
}

function parseProvider(from: Members): ProviderRecord {
  const id = textAt(from, 'id', isSlug);
  const template = parseTemplate(from['template'], 'template');
  if (template.slug !== id) throw new ShapeError('template.slug');
  return { v: RECORD_VERSION, id, app: textAt(from, 'app', isAppName), template, ...instants(from) };
}

/** A rule of a kind that this version does not know stays in the record, so that `decide` sees it and denies. */
function parseRule(value: unknown, name: string): Rule {
  const rule = membersOf(value, name);
  const kind = textAt(rule, 'kind');
  if (kind === 'methods') return { kind, allow: listAt(rule, 'allow', (item, itemName) => text(item, itemName)) };
  return structuredClone(rule) as Rule;
}

function instants(from: Members): { readonly createdAt: number; readonly updatedAt: number } {
  return { createdAt: wholeNumberAt(from, 'createdAt'), updatedAt: wholeNumberAt(from, 'updatedAt') };
}

function expiry(from: Members): { readonly expiresAt?: number } {
  const expiresAt = optionalWholeNumberAt(from, 'expiresAt');
  return expiresAt === undefined ? {} : { expiresAt };
}

function isOriginKey(candidate: string): boolean {
  try {
    return originKey(parseOrigin(candidate)) === candidate;
  } catch {
    return false;
  }
}
