import type { Command } from 'commander';
import { CommandError } from '../../errors.ts';
import { readRules } from '../policy-target.ts';
import { shortRule } from '../policy-text.ts';
import type { GrantRecord } from '../../vault/records.ts';
import type { SecretFacts } from '../../vault/resolved.ts';
import { collect, declare, declareGroup, durationOption, perform, type Runtime } from '../command.ts';
import { formatInstant, isoInstant } from '../duration.ts';
import { shortOrigin } from '../origin-text.ts';
import type { Output } from '../output.ts';
import type { Session } from '../session.ts';

interface IssueOptions {
  readonly secret: string;
  readonly label: string;
  readonly ttl?: string;
  readonly method?: readonly string[];
  readonly policy?: string;
}

interface ListOptions {
  readonly secret?: string;
  readonly all?: boolean;
}

type Secrets = ReadonlyMap<string, SecretFacts>;

// RFC 9110 §9.1: a method is a token.
const METHOD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}$/;

/** What the grant is worth now, whatever its own record says: it ends with its time and with its secret. */
function effectiveStatus(grant: GrantRecord, secrets: Secrets, now: number): string {
  if (grant.status !== 'active') return grant.status;
  if (grant.expiresAt !== undefined && grant.expiresAt <= now) return 'expired';
  return secrets.get(grant.secretId)?.status === 'active' ? 'active' : 'credential_revoked';
}

function forPrograms(grant: GrantRecord, secrets: Secrets, now: number): Record<string, unknown> {
  const secret = secrets.get(grant.secretId);
  return {
    id: grant.id,
    app: grant.app,
    label: grant.label,
    secretId: grant.secretId,
    secretName: secret?.name ?? null,
    provider: secret?.provider ?? null,
    origins: secret?.origins ?? [],
    principal: grant.principal,
    policy: grant.policy,
    status: effectiveStatus(grant, secrets, now),
    createdAt: isoInstant(grant.createdAt),
    updatedAt: isoInstant(grant.updatedAt),
    expiresAt: isoInstant(grant.expiresAt),
  };
}

function policyText(grant: GrantRecord): string {
  return grant.policy.map(shortRule).join('; ');
}

function paintStatus(output: Output, status: string): { readonly painted: string } {
  return { painted: output.paint(status === 'active' ? 'green' : 'red', status.replace('_', ' ')) };
}

async function secretsById(session: Session): Promise<Secrets> {
  const secrets = await (await session.administration()).listSecrets();
  return new Map(secrets.map((secret) => [secret.id, secret]));
}

function methodRules(methods: readonly string[] | undefined): GrantRecord['policy'] {
  if (methods === undefined) return [];
  const allow = [...new Set(methods.flatMap((text) => text.split(',')).map((method) => method.trim().toUpperCase()))];
  if (!allow.every((method) => METHOD.test(method))) throw new CommandError('usage', '--method takes names of HTTP methods, such as GET');
  return [{ kind: 'methods', allow }];
}

async function issue(session: Session, options: IssueOptions): Promise<void> {
  const ttlMs = durationOption('--ttl', options.ttl);
  const policy = [...methodRules(options.method), ...(options.policy === undefined ? [] : await readRules(session, options.policy))];
  const administration = await session.administration();
  const grant = await administration.issueGrant({
    secret: options.secret,
    label: options.label,
    policy,
    ...(ttlMs === undefined ? {} : { ttlMs }),
  });
  const secrets = await secretsById(session);
  const { output } = session;
  const secret = secrets.get(grant.secretId);
  output.result(forPrograms(grant, secrets, Date.now()), () => grant.id);
  output.note(
    [
      `Issued for ${secret?.origins.map(shortOrigin).join(', ') ?? grant.secretId}; ${grant.expiresAt === undefined ? 'valid until it is revoked' : `expires ${formatInstant(grant.expiresAt, Date.now())}`}. Use it with either of:`,
      `  X-Alter-Grant: ${grant.id}`,
      `  alter_grant_${grant.id}   (where the credential would stand)`,
    ].join('\n'),
  );
}

async function list(session: Session, options: ListOptions): Promise<void> {
  const { output } = session;
  const now = Date.now();
  const administration = await session.administration();
  const only = options.secret === undefined ? undefined : await administration.showSecret(options.secret);
  const secrets = await secretsById(session);
  const grants = (await administration.listGrants())
    .filter((grant) => only === undefined || grant.secretId === only.id)
    .filter((grant) => options.all === true || effectiveStatus(grant, secrets, now) === 'active');
  output.result(
    grants.map((grant) => forPrograms(grant, secrets, now)),
    () => {
      if (grants.length === 0) return 'No grants. Issue one with: alter-proxy grant issue --secret <name> --label <purpose>';
      return output.table(
        ['id', 'label', 'secret', 'expires', 'policy', 'status'],
        grants.map((grant) => [
          grant.id,
          grant.label,
          secrets.get(grant.secretId)?.name ?? grant.secretId,
          formatInstant(grant.expiresAt, now),
          policyText(grant) || '-',
          paintStatus(output, effectiveStatus(grant, secrets, now)),
        ]),
      );
    },
  );
}

async function print(session: Session, grant: GrantRecord): Promise<void> {
  const { output } = session;
  const now = Date.now();
  const secrets = await secretsById(session);
  const secret = secrets.get(grant.secretId);
  output.result(forPrograms(grant, secrets, now), () =>
    output.facts([
      ['Grant', grant.id],
      ['Label', grant.label],
      ['App', grant.app],
      ['Principal', grant.principal.type],
      ['Secret', secret === undefined ? grant.secretId : `${secret.name} (${secret.id})`],
      ...(secret?.origins ?? []).map((origin, index) => [index === 0 ? 'Destinations' : '', shortOrigin(origin)] as const),
      ['Policy', policyText(grant) || 'none'],
      ['Status', paintStatus(output, effectiveStatus(grant, secrets, now))],
      ['Created', isoInstant(grant.createdAt) ?? ''],
      [
        'Expires',
        grant.expiresAt === undefined ? 'never' : `${isoInstant(grant.expiresAt) ?? ''} (${formatInstant(grant.expiresAt, now)})`,
      ],
    ]),
  );
}

async function revoke(session: Session, id: string): Promise<void> {
  const grant = await (await session.administration()).revokeGrant(id);
  session.output.result(forPrograms(grant, await secretsById(session), Date.now()), () => `Revoked grant ${grant.id} (${grant.label})`);
}

/** `grant issue`, `list`, `show` and `revoke`. */
export function addGrantCommands(program: Command, runtime: Runtime): void {
  const group = declareGroup(program, 'grant', 'Access to a secret: an id that a workload names, not a credential');
  const issuing = declare(group, 'issue', 'Issue a grant and print its id.', [
    "alter-proxy grant issue --secret openai --label 'nightly report'",
    "alter-proxy grant issue --secret openai --label 'read only' --ttl 30d --method GET --method HEAD",
    'GRANT=$(alter-proxy grant issue --secret openai --label ci 2>/dev/null)',
  ])
    .requiredOption('-s, --secret <name-or-id>', 'secret that the grant opens')
    .requiredOption('-l, --label <text>', 'what the grant is for; shown in lists and in the audit')
    .option('--ttl <duration>', 'how long it is valid, such as 12h or 30d (default: until it is revoked)')
    .option('--policy <file>', 'YAML or JSON file with rules that its requests must pass, or - for stdin')
    .option('--method <method>', 'allow only these HTTP methods (repeatable)', collect);
  perform<IssueOptions>(issuing, runtime, async (session, options) => {
    await issue(session, options);
    return 0;
  });
  const listing = declare(group, 'list', 'List the active grants of the app.', [
    'alter-proxy grant list',
    'alter-proxy grant list --secret openai --all',
  ])
    .option('-s, --secret <name-or-id>', 'only grants of this secret')
    .option('-a, --all', 'also expired and revoked ones');
  perform<ListOptions>(listing, runtime, async (session, options) => {
    await list(session, options);
    return 0;
  });
  const showing = declare(group, 'show <id>', 'Show a grant.', ['alter-proxy grant show 0b54d9c5-6c1c-4c1e-9d3c-0a9a5e2f7b11']);
  perform(showing, runtime, async (session, _options, [id = '']) => {
    await print(session, await (await session.administration()).showGrant(id));
    return 0;
  });
  const revoking = declare(group, 'revoke <id>', 'Revoke a grant; the next request with it is refused.', [
    'alter-proxy grant revoke 0b54d9c5-6c1c-4c1e-9d3c-0a9a5e2f7b11',
  ]);
  perform(revoking, runtime, async (session, _options, [id = '']) => {
    await revoke(session, id);
    return 0;
  });
}
