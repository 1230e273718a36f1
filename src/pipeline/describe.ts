import type { AlterError, WireCode } from '../errors.ts';
import type { CallerPathRedaction } from '../inject/caller-paths.ts';
import type { AlterHeaders } from '../message/alter-headers.ts';
import type { Authority, Origin } from '../message/authority.ts';
import type { TunnelResult } from '../message/tunnel.ts';
import { queryNames } from '../message/url.ts';
import type { ClientPeer, Exchange } from './exchange.ts';
import { isoTime } from './iso-time.ts';
import type { AuditDraft, AuditOutcome } from '../audit/event.ts';

/** How an exchange ended, as far as the client could see. */
export interface Ending {
  /** Status of the answer; undefined when none was sent. */
  readonly status: number | undefined;
  /** The refusal or failure, if there was one. */
  readonly error: AlterError | undefined;
  /** The client left before the answer was complete. */
  readonly aborted: boolean;
  /** The proxy ended what it had let through: key or grant ended meanwhile. */
  readonly interrupted: boolean;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly retries: number;
}

const MAX_PATH = 2048;

/** Codes that say "not you" rather than "not this". */
const PRINCIPAL_CODES: ReadonlySet<WireCode> = new Set([
  'invalid_key',
  'key_expired',
  'key_revoked',
  'user_token_required',
  'user_token_invalid',
  'principal_mismatch',
  'agent_inactive',
  'idp_unavailable',
]);

const NETWORK_CODES: ReadonlySet<WireCode> = new Set([
  'upstream_unreachable',
  'upstream_tls_failed',
  'upstream_protocol_error',
  'upstream_timeout',
]);

/** Outcome of a refusal or failure; `answered` says whether the head of an answer had been sent already. */
function outcomeOf(code: WireCode, answered: boolean): AuditOutcome {
  if (answered) return 'interrupted';
  if (PRINCIPAL_CODES.has(code)) return 'principal_denied';
  if (NETWORK_CODES.has(code)) return 'network_error';
  return 'policy_denied';
}

/** The audit event of an exchange, from the exchange alone: names and ids, never a value that could be a credential. */
export function describeExchange(exchange: Exchange, ending: Ending, now: number, redactCallerPath: CallerPathRedaction): AuditDraft {
  const { request, caller, alter, resolved } = exchange;
  return {
    id: exchange.id,
    type: 'request',
    start: isoTime(exchange.startedAt),
    durationMs: Math.max(0, now - exchange.startedAt),
    app: caller.app,
    keyId: caller.keyId,
    agent: caller.agent ?? null,
    idp: exchange.user?.idp ?? null,
    user: exchange.user?.subject ?? null,
    group: groupOf(exchange),
    principal: resolved?.grant.principal.type ?? null,
    caller: alter.caller ?? null,
    clientAddress: exchange.clientAddress ?? exchange.peer.address,
    protocol: request.protocol,
    method: request.method,
    scheme: request.origin.scheme,
    host: request.origin.host,
    port: request.origin.port,
    path: recordedPath(exchange, redactCallerPath).slice(0, MAX_PATH),
    queryNames: queryNames(request.url),
    provider: resolved?.secret.provider ?? null,
    secretId: resolved?.secret.id ?? null,
    secretVersion: resolved?.secret.version ?? null,
    grantId: exchange.named?.id ?? null,
    grantLabel: resolved?.grant.label ?? null,
    reason: alter.reason ?? null,
    context: alter.context ?? null,
    outcome: outcome(ending),
    code: ending.error?.code ?? null,
    rule: (ending.error === undefined ? undefined : (exchange.refusedBy ?? ending.error.rule)) ?? null,
    warnings: exchange.warnings,
    status: ending.status ?? null,
    bytesIn: ending.bytesIn,
    bytesOut: ending.bytesOut,
    retries: ending.retries,
    injected: exchange.injected,
    stages: exchange.stages,
  };
}

/** A credential in the path is not recorded, be it where the provider's rule puts it or the caller's own. */
function recordedPath({ request, resolved }: Exchange, redactCallerPath: CallerPathRedaction): string {
  const { path } = request.url;
  return resolved === undefined ? redactCallerPath(request.origin, path) : (resolved.injection.redactPath?.(path) ?? path);
}

/** A request that was refused before it became an exchange. */
export interface EarlyRefusal {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly type: 'request' | 'connect';
  readonly peer: ClientPeer;
  readonly caller: Exchange['caller'] | undefined;
  readonly protocol: string;
  readonly method: string;
  readonly origin: Origin | undefined;
  readonly error: AlterError;
  /** Status of the answer. */
  readonly status: number;
}

/** The audit event of a request that was refused before it became an exchange. */
export function describeRefusal(refusal: EarlyRefusal, now: number): AuditDraft {
  return {
    ...NOTHING,
    id: refusal.id,
    type: refusal.type,
    start: isoTime(refusal.startedAt),
    durationMs: Math.max(0, now - refusal.startedAt),
    app: refusal.caller?.app ?? null,
    keyId: refusal.caller?.keyId ?? null,
    agent: refusal.caller?.agent ?? null,
    clientAddress: refusal.peer.address,
    protocol: refusal.protocol,
    method: refusal.method,
    scheme: refusal.origin?.scheme ?? '',
    host: refusal.origin?.host ?? '',
    port: refusal.origin?.port ?? 0,
    outcome: outcomeOf(refusal.error.code, false),
    code: refusal.error.code,
    rule: refusal.error.rule ?? null,
    status: refusal.status,
  };
}

/** A pass-through tunnel that has ended, or could not be opened. */
export interface TunnelEnding {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly peer: ClientPeer;
  readonly caller: Exchange['caller'];
  readonly alter: AlterHeaders;
  readonly authority: Authority;
  /** Undefined: it was not opened; when there is no `error` either, because the client left before. */
  readonly result: TunnelResult | undefined;
  /** Why it could not be opened or, with a `result`, why the proxy ended it. */
  readonly error: AlterError | undefined;
}

/** The audit event of a pass-through tunnel. */
export function describeTunnel(tunnel: TunnelEnding, now: number): AuditDraft {
  const { error, result } = tunnel;
  return {
    ...NOTHING,
    id: tunnel.id,
    type: 'tunnel',
    start: isoTime(tunnel.startedAt),
    durationMs: Math.max(0, now - tunnel.startedAt),
    app: tunnel.caller.app,
    keyId: tunnel.caller.keyId,
    agent: tunnel.caller.agent ?? null,
    caller: tunnel.alter.caller ?? null,
    reason: tunnel.alter.reason ?? null,
    context: tunnel.alter.context ?? null,
    clientAddress: tunnel.peer.address,
    protocol: 'tunnel',
    method: 'CONNECT',
    scheme: '',
    host: tunnel.authority.host,
    port: tunnel.authority.port,
    outcome: tunnelOutcome(tunnel),
    code: error?.code ?? null,
    rule: error?.rule ?? result?.error ?? null,
    status: result === undefined ? (error?.status ?? null) : 200,
    bytesIn: result?.bytesIn ?? 0,
    bytesOut: result?.bytesOut ?? 0,
  };
}

/** The group by whose membership the grant may be used. */
function groupOf({ resolved }: Exchange): string | null {
  return resolved?.grant.principal.type === 'group' ? resolved.grant.principal.group : null;
}

const NOTHING = {
  idp: null,
  user: null,
  group: null,
  principal: null,
  caller: null,
  path: '',
  queryNames: [],
  provider: null,
  secretId: null,
  secretVersion: null,
  grantId: null,
  grantLabel: null,
  reason: null,
  context: null,
  warnings: [],
  bytesIn: 0,
  bytesOut: 0,
  retries: 0,
  injected: [],
  stages: [],
} as const;

function tunnelOutcome({ error, result }: TunnelEnding): AuditOutcome {
  if (error !== undefined) return outcomeOf(error.code, result !== undefined);
  if (result === undefined) return 'aborted';
  return result.error === undefined ? 'success' : 'interrupted';
}

function outcome(ending: Ending): AuditOutcome {
  if (ending.aborted) return 'aborted';
  if (ending.interrupted) return 'interrupted';
  if (ending.error !== undefined) return outcomeOf(ending.error.code, ending.status !== undefined && ending.status !== ending.error.status);
  return ending.status !== undefined && ending.status < 400 ? 'success' : 'provider_error';
}
