import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { CommandError } from '../../errors.ts';
import type { GrantView } from '../../vault/grants/view.ts';
import type { GrantPrincipal } from '../../vault/records.ts';
import { printBulk, type BulkRow } from '../bulk-output.ts';
import { collect, declare, perform, type Runtime } from '../command.ts';
import { formatInstant } from '../duration.ts';
import { readGrantFile, type FileItem } from '../grant-file.ts';
import { addLifeOptions, lifeOption, principalOption, type LifeOptions, type PrincipalOptions } from '../grant-options.ts';
import { grantForPrograms, principalText } from '../grant-text.ts';
import { methodRules } from '../method-rules.ts';
import { shortOrigin } from '../origin-text.ts';
import { readStdin } from '../secret-input.ts';
import { readRules } from '../policy-target.ts';
import type { Session } from '../session.ts';
import { userOfToken } from '../user-token.ts';

interface IssueOptions extends PrincipalOptions, LifeOptions {
  readonly secret?: string;
  readonly label?: string;
  readonly description?: string;
  readonly userToken?: string;
  readonly method?: readonly string[];
  readonly policy?: string;
  readonly file?: string;
  readonly dryRun?: boolean;
}

/** Prints a grant that was just made: its id alone on stdout, and on stderr how to use it. */
export function printIssued(session: Session, view: GrantView, what: string): void {
  const { output } = session;
  const { grant, secret } = view;
  const validity = grant.expiresAt === undefined ? 'valid until it is revoked' : `expires ${formatInstant(grant.expiresAt, Date.now())}`;
  const whose = grant.principal.type === 'system' ? '' : ` to ${principalText(grant.principal)}`;
  output.result(grantForPrograms(view), () => grant.id);
  output.note(
    [
      `${what}${whose} for ${secret?.origins.map(shortOrigin).join(', ') ?? grant.secretId}; ${validity}. Use it with either of:`,
      `  X-Alter-Grant: ${grant.id}`,
      `  alter_grant_${grant.id}   (where the credential would stand)`,
    ].join('\n'),
  );
}

async function issueOne(session: Session, options: IssueOptions): Promise<number> {
  const { secret, label, description } = options;
  if (secret === undefined || label === undefined) {
    throw new CommandError('usage', 'a grant needs --secret and --label', { hint: 'Or issue many with --file <file>.' });
  }
  const principal = await principalOf(session, options);
  const input = {
    secret,
    label,
    ...(description === undefined ? {} : { description }),
    ...(principal === undefined ? {} : { principal }),
    ...lifeOption(options),
    policy: [...methodRules('--method', options.method), ...(options.policy === undefined ? [] : await readRules(session, options.policy))],
  };
  const administration = await session.administration();
  if (options.dryRun === true) {
    const [result] = await administration.issueGrants([input], { dryRun: true });
    return result === undefined ? 0 : printBulk(session.output, [{ name: label, result }], { done: 'issued', dryRun: true, issues: true });
  }
  const grant = await administration.issueGrant(input);
  printIssued(session, await administration.viewGrant(grant.id), 'Issued');
  return 0;
}

async function principalOf(session: Session, options: IssueOptions): Promise<GrantPrincipal | undefined> {
  const named = principalOption(options);
  if (options.userToken === undefined) return named;
  if (named !== undefined) throw new CommandError('usage', 'a grant has one principal: give --user-token alone');
  return userOfToken(session, options.userToken);
}

async function issueMany(session: Session, file: string, options: IssueOptions): Promise<number> {
  const alone: readonly (keyof IssueOptions)[] = [
    'secret',
    'label',
    'description',
    'user',
    'userToken',
    'group',
    'agent',
    'ttl',
    'expiresAt',
    'method',
    'policy',
  ];
  if (alone.some((name) => options[name] !== undefined)) {
    throw new CommandError('usage', '--file says everything about its grants: it goes with --dry-run only');
  }
  const text = file === '-' ? (await readStdin(session.terminal.stdin)).toString('utf8') : readFileSync(file, 'utf8');
  const dryRun = options.dryRun === true;
  const rows: BulkRow[] = [];
  for (const [index, item] of readGrantFile(text, file === '-' ? 'stdin' : file).entries()) {
    rows.push({ name: `#${String(index + 1)}`, result: await issueItem(session, item, dryRun) });
  }
  return printBulk(session.output, rows, { done: 'issued', dryRun, issues: true });
}

async function issueItem(session: Session, item: FileItem, dryRun: boolean): Promise<BulkRow['result']> {
  if ('error' in item) return { ok: false, ...item };
  const [result] = await (await session.administration()).issueGrants([item.grant], { dryRun });
  if (result === undefined) throw new TypeError('one grant has one result');
  return result;
}

/** `grant issue`. */
export function addGrantIssue(group: Command, runtime: Runtime): void {
  const command = declare(group, 'issue', 'Issue a grant and print its id, or many from a file.', [
    "alter-proxy grant issue --secret openai --label 'nightly report'",
    "alter-proxy grant issue --secret openai --label 'read only' --ttl 30d --method GET --method HEAD",
    'alter-proxy grant issue --secret github --label ann --user okta:00u1abcd --expires-at 2027-01-31',
    'GRANT=$(alter-proxy grant issue --secret openai --label ci 2>/dev/null)',
    'alter-proxy grant issue --file grants.yaml --dry-run',
  ])
    .option('-s, --secret <name-or-id>', 'secret that the grant opens')
    .option('-l, --label <text>', 'what the grant is for; shown in lists and in the audit')
    .option('-d, --description <text>', 'more about it')
    .option('--user <idp:subject>', 'only for this user of an identity provider')
    .option('--user-token <file>', 'only for the user for whom the token in this file speaks; - for stdin')
    .option('--group <idp:group>', 'only for who is a member of this group at the time of the call')
    .option('--agent <name>', 'only for this agent (default: for every holder of a key of the app)');
  addLifeOptions(command, 'until it is revoked, or as long as the secret allows')
    .option('--method <method>', 'allow only these HTTP methods (repeatable)', collect)
    .option('--policy <file>', 'YAML or JSON file with rules that its requests must pass, or - for stdin')
    .option('-f, --file <file>', 'issue every grant of a YAML or JSON file; - for stdin')
    .option('--dry-run', 'only check what would be issued');
  perform<IssueOptions>(command, runtime, (session, options) =>
    options.file === undefined ? issueOne(session, options) : issueMany(session, options.file, options),
  );
}
