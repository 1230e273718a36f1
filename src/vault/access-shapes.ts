/** Shapes of the records that say who is calling: keys, agents, identity providers, and the index of what a principal holds. */
import { parseNetwork } from '../message/network.ts';
import { parseUuid } from '../message/uuid.ts';
import { ShapeError, listAt, membersOf, ownValue, text, textAt, wordAt } from './members.ts';
import type { Members } from './members.ts';
import { isAgentName, isAppName, isClaimPath, isKeyId, isLabel, isSecretId, isSlug } from './names.ts';
import { expiryAt, instantsAt, labelAt, optionalAt, policyAt } from './shared-shapes.ts';
import { RECORD_VERSION } from './records.ts';
import type { AgentRecord, HolderRecord, IdpRecord, JwksSource, KeyRecord } from './records.ts';

/** Asymmetric signatures (RFC 7518 §3.1, RFC 8037): with these a public key cannot be taken for a shared secret. */
export const SIGNATURE_ALGORITHMS: ReadonlySet<string> = new Set([
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
]);

export function parseKey(from: Members): KeyRecord {
  const type = wordAt(from, 'type', ['app', 'agent']);
  return {
    v: RECORD_VERSION,
    id: textAt(from, 'id', isKeyId),
    app: textAt(from, 'app', isAppName),
    type,
    ...(type === 'agent' ? { agent: textAt(from, 'agent', isAgentName) } : {}),
    ...optionalAt(from, 'environment', (own, name) => wordAt(own, name, ['development', 'production'])),
    name: textAt(from, 'name', isLabel),
    prefix: textAt(from, 'prefix', isLabel),
    cidrs: listAt(from, 'cidrs', (item, name) => text(item, name, isCidr)),
    status: wordAt(from, 'status', ['active', 'deprecated', 'revoked']),
    ...instantsAt(from),
    ...expiryAt(from),
  };
}

export function parseAgent(from: Members): AgentRecord {
  return {
    v: RECORD_VERSION,
    id: textAt(from, 'id', isAgentName),
    app: textAt(from, 'app', isAppName),
    ...optionalAt(from, 'description', labelAt),
    status: wordAt(from, 'status', ['active', 'paused', 'deleted']),
    policy: policyAt(from),
    mayIssue: listAt(from, 'mayIssue', (item, name) => text(item, name, isSecretId)),
    ...instantsAt(from),
  };
}

export function parseIdp(from: Members): IdpRecord {
  return {
    v: RECORD_VERSION,
    id: textAt(from, 'id', isSlug),
    app: textAt(from, 'app', isAppName),
    issuer: textAt(from, 'issuer', (issuer) => issuer !== ''),
    audiences: someAt(from, 'audiences', () => true),
    algorithms: someAt(from, 'algorithms', (name) => SIGNATURE_ALGORITHMS.has(name)),
    jwks: parseJwks(membersOf(ownValue(from, 'jwks'), 'jwks')),
    subjectClaim: textAt(from, 'subjectClaim', isClaimPath),
    groupsClaim: textAt(from, 'groupsClaim', isClaimPath),
    ...instantsAt(from),
  };
}

export function parseHolder(from: Members): HolderRecord {
  return {
    v: RECORD_VERSION,
    id: textAt(from, 'id', isKeyId),
    app: textAt(from, 'app', isAppName),
    grants: listAt(from, 'grants', (item, name) => {
      const grant = membersOf(item, name);
      return { id: textAt(grant, 'id', (id) => parseUuid(id) === id), provider: textAt(grant, 'provider', isSlug) };
    }),
    ...instantsAt(from),
  };
}

function parseJwks(from: Members): JwksSource {
  const kind = wordAt(from, 'kind', ['discovery', 'url', 'inline']);
  switch (kind) {
    case 'discovery':
      return { kind };
    case 'url':
      return { kind, url: textAt(from, 'url', (url) => URL.canParse(url)) };
    case 'inline':
      return { kind, keys: listAt(from, 'keys', (item, name) => ({ ...membersOf(item, name) })) };
  }
}

/** A network in CIDR notation that is not the whole Internet. */
function isCidr(candidate: string): boolean {
  return candidate.includes('/') && (parseNetwork(candidate)?.bits ?? 0) > 0;
}

/** Texts, one at least. */
function someAt(from: Members, member: string, accepts: (candidate: string) => boolean): readonly string[] {
  const some = listAt(from, member, (item, name) => text(item, name, (candidate) => candidate !== '' && accepts(candidate)));
  if (some.length === 0) throw new ShapeError(member);
  return some;
}
