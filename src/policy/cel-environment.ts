import { Environment } from '@marcbachmann/cel-js';
import { decodeComponent, parameterName } from '../message/query.ts';
import type { PolicyFacts } from './rules.ts';
import { zoneClock } from './zone-clock.ts';

/** A query may hold any number of parameters; an expression that goes over them must end. */
const MAX_PARAMETERS = 64;

/** The structure of an expression; what is larger is no rule but a program. */
const LIMITS = { maxAstNodes: 200, maxDepth: 24, maxListElements: 64, maxMapEntries: 16, maxCallArguments: 4 } as const;

/** Names that the client chooses are keys of maps: the library takes an object with a member `constructor` for one of some class. */
const EMPTY: ReadonlyMap<string, never> = new Map<string, never>();

class CelRequest {
  readonly method: string;
  readonly scheme: string;
  readonly host: string;
  readonly port: bigint;
  readonly path: string;
  readonly query: ReadonlyMap<string, readonly string[]>;
  readonly client_address: string;

  constructor(facts: PolicyFacts, withQuery: boolean) {
    this.method = facts.method;
    this.scheme = facts.scheme;
    this.host = facts.host;
    this.port = BigInt(facts.port);
    this.path = facts.path;
    this.query = withQuery ? parametersOf(facts.query) : EMPTY;
    this.client_address = facts.clientAddress;
  }
}

class CelPrincipal {
  readonly type: string;
  readonly id: string;

  constructor({ principal }: PolicyFacts) {
    this.type = principal.type;
    this.id = principal.id;
  }
}

class CelGrant {
  readonly id: string;
  readonly label: string;
  readonly secret: string;
  readonly provider: string;
  readonly created: Date;

  constructor({ grant }: PolicyFacts) {
    this.id = grant.id;
    this.label = grant.label;
    this.secret = grant.secretId;
    this.provider = grant.provider;
    this.created = new Date(grant.createdAt);
  }
}

class CelTime {
  readonly now: Date;

  constructor({ now }: PolicyFacts) {
    this.now = new Date(now);
  }

  local(zone: string): ReturnType<ReturnType<typeof zoneClock>['at']> {
    return zoneClock(zone).at(this.now.getTime());
  }
}

const TEXTS = { method: 'string', scheme: 'string', host: 'string', path: 'string', client_address: 'string' } as const;

/** Everything that an expression may name. */
export const celEnvironment = new Environment({ limits: LIMITS })
  .registerType('Request', { ctor: CelRequest, fields: { ...TEXTS, port: 'int', query: 'map<string, list<string>>' } })
  .registerType('Principal', { ctor: CelPrincipal, fields: { type: 'string', id: 'string' } })
  .registerType('Grant', {
    ctor: CelGrant,
    fields: { id: 'string', label: 'string', secret: 'string', provider: 'string', created: 'google.protobuf.Timestamp' },
  })
  .registerType('Time', { ctor: CelTime, fields: { now: 'google.protobuf.Timestamp' } })
  .registerFunction('Time.hour(string): int', (time: CelTime, zone: string) => BigInt(Math.floor(time.local(zone).minute / 60)))
  .registerFunction('Time.minute(string): int', (time: CelTime, zone: string) => BigInt(time.local(zone).minute % 60))
  .registerFunction('Time.weekday(string): int', (time: CelTime, zone: string) => BigInt(time.local(zone).weekday))
  .registerVariable('request', 'Request')
  .registerVariable('principal', 'Principal')
  .registerVariable('agent', 'string')
  .registerVariable('grant', 'Grant')
  .registerVariable('time', 'Time')
  .registerVariable('context', 'map<string, string>')
  .registerVariable('reason', 'string');

/** The values of the variables. Throws when the query holds more parameters than an expression may go over. */
export function celVariables(facts: PolicyFacts, withQuery: boolean): Record<string, unknown> {
  return {
    request: new CelRequest(facts, withQuery),
    principal: new CelPrincipal(facts),
    agent: facts.agent ?? '',
    grant: new CelGrant(facts),
    time: new CelTime(facts),
    context: facts.context === undefined ? EMPTY : new Map(Object.entries(facts.context)),
    reason: facts.reason ?? '',
  };
}

function parametersOf(query: string | undefined): ReadonlyMap<string, readonly string[]> {
  if (query === undefined || query === '') return EMPTY;
  const parts = query.split(/[&;]/);
  if (parts.length > MAX_PARAMETERS) throw new Error('the query holds too many parameters');
  const parameters = new Map<string, string[]>();
  for (const part of parts) {
    if (part === '') continue;
    const name = parameterName(part);
    const equals = part.indexOf('=');
    const value = equals === -1 ? '' : decodeComponent(part.slice(equals + 1));
    const values = parameters.get(name);
    if (values === undefined) parameters.set(name, [value]);
    else values.push(value);
  }
  return parameters;
}
