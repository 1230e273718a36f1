import type { AuditEvent } from '../audit/event.ts';
import { CommandError } from '../errors.ts';
import type { UrlJudgement } from '../inject/injector.ts';
import { urlJudgement } from '../inject/judged-url.ts';
import { HeaderList } from '../message/header-list.ts';
import { strippedRequestHeaders } from '../message/hop-by-hop.ts';
import type { CanonicalUrl } from '../message/url.ts';
import { principalFacts } from '../pipeline/policy-facts.ts';
import type { DescribedRequest } from '../policy-file/request-file.ts';
import { combinePolicies } from '../policy/policy.ts';
import type { Policy, PolicyParts } from '../policy/policy.ts';
import type { Place, GrantFacts, PolicyFacts, Rule } from '../policy/rules.ts';
import type { Administration } from '../vault/administration.ts';
import type { GrantRecord } from '../vault/records.ts';
import type { SecretFacts } from '../vault/resolved.ts';

/** Rules that are not stored yet, and where they would be attached. */
export interface Proposal {
  readonly at: Place;
  /** Slug, id of the secret, name of the agent, or id of the grant; empty for the app, and for whatever grant is asked about. */
  readonly id: string;
  readonly rules: readonly Rule[];
}

/** A grant with its secret, and of a delegation its source, as the rules know them. */
export interface Subject {
  readonly grant: GrantRecord;
  readonly secret: SecretFacts | undefined;
  readonly source?: GrantRecord;
  /** See PreparedInjection. */
  readonly judgedUrl: UrlJudgement | undefined;
}

/** The grant of this id with its secret. Rejects with `not_found`. */
export async function subjectOf(administration: Administration, grantId: string): Promise<Subject> {
  const grant = await administration.showGrant(grantId);
  const secret = (await administration.listSecrets()).find(({ id }) => id === grant.secretId);
  const provider = secret === undefined ? undefined : await ifThere(administration.showProvider(secret.provider));
  const subject = { grant, secret, judgedUrl: provider === undefined ? undefined : urlJudgement(provider.template.inject) };
  return grant.delegatedFrom === undefined ? subject : { ...subject, source: await administration.showGrant(grant.delegatedFrom) };
}

/** The rules that hold for a grant now, those of `agent` among them, with a proposal in the place of what is attached there. */
export async function policyFor(
  administration: Administration,
  subject: Subject,
  agent: string | undefined,
  proposal: Proposal | undefined,
): Promise<Policy> {
  const { grant, secret, source } = subject;
  const ids = { app: '', provider: secret?.provider ?? '', secret: grant.secretId, agent: agent ?? '', grant: grant.id };
  const [app, provider, ofAgent] = await Promise.all([
    administration.showPolicy({ at: 'app' }),
    secret === undefined ? undefined : ifThere(administration.showPolicy({ at: 'provider', slug: secret.provider })),
    agent === undefined ? undefined : ifThere(administration.showPolicy({ at: 'agent', agent })),
  ]);
  const parts: PolicyParts = {
    app: app.rules,
    provider: provider?.rules ?? [],
    secret: secret?.policy ?? [],
    agent: ofAgent?.rules ?? [],
    source: source?.policy ?? [],
    grant: grant.policy,
  };
  const applies = proposal !== undefined && (proposal.id === '' || proposal.id === ids[proposal.at]);
  return combined(applies ? { ...parts, [proposal.at]: proposal.rules } : parts);
}

/** The policy of a proposal alone. */
export function proposedPolicy({ at, rules }: Proposal): Policy {
  return combined({ [at]: rules });
}

function combined({ agent, ...parts }: PolicyParts): Policy {
  return combinePolicies(parts).withAgent(agent);
}

/**
 * Facts of a described request. Without a grant, those of one that was made just now; without an agent, that of the grant, as the grant can only be
 * used with its keys.
 */
export function factsOfRequest(request: DescribedRequest, app: string, subject: Subject | undefined, now: number): PolicyFacts {
  const { url, headers, form, time, ...rest } = request;
  return {
    ...rest,
    app,
    now: time ?? now,
    ...(subject?.judgedUrl?.(url) ?? url),
    headers: strippedRequestHeaders(new HeaderList([...headers])),
    body: form === undefined ? undefined : { form },
    grant: subject === undefined ? newGrant(time ?? now) : grantFacts(subject),
    principal: principalFacts(subject?.grant.principal ?? { type: 'system' }),
    agent: request.agent ?? (subject === undefined ? undefined : agentOf(subject)),
    ...sourceFacts(subject),
  };
}

/** Facts of a request of which only the event is left: names of query parameters without values, and no header fields. */
export function factsOfEvent(event: AuditEvent, subject: Subject): PolicyFacts {
  const url = urlOfEvent(event);
  return {
    now: Date.parse(event.start),
    method: event.method,
    scheme: event.scheme,
    host: event.host,
    port: event.port,
    ...(subject.judgedUrl?.(url) ?? url),
    headers: new HeaderList(),
    body: undefined,
    clientAddress: event.clientAddress,
    reason: event.reason ?? undefined,
    context: event.context ?? undefined,
    app: event.app ?? '',
    grant: grantFacts(subject),
    principal: principalFacts(subject.grant.principal),
    agent: event.agent ?? undefined,
    ...sourceFacts(subject),
  };
}

function urlOfEvent({ path, queryNames }: AuditEvent): CanonicalUrl {
  return { path, query: queryNames.length === 0 ? undefined : queryNames.map((name) => `${encodeURIComponent(name)}=`).join('&') };
}

/** The agent that a grant belongs to. */
function agentOf({ grant }: Subject): string | undefined {
  return grant.principal.type === 'agent' ? grant.principal.agent : undefined;
}

function grantFacts({ grant, secret }: Pick<Subject, 'grant' | 'secret'>): GrantFacts {
  return { id: grant.id, label: grant.label, createdAt: grant.createdAt, secretId: grant.secretId, provider: secret?.provider ?? '' };
}

function sourceFacts(subject: Subject | undefined): Pick<PolicyFacts, 'source'> {
  if (subject?.source === undefined) return {};
  const { source, secret } = subject;
  return { source: { grant: grantFacts({ grant: source, secret }), principal: principalFacts(source.principal) } };
}

function newGrant(createdAt: number): GrantFacts {
  return { id: '', label: '', createdAt, secretId: '', provider: '' };
}

async function ifThere<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof CommandError && error.code === 'not_found') return undefined;
    throw error;
  }
}
