import type { Command } from 'commander';
import { CommandError } from '../../errors.ts';
import { declare, perform, type Runtime } from '../command.ts';
import { formatInstant } from '../duration.ts';
import { addFilterOptions, filterOption, type FilterOptions } from '../grant-options.ts';
import { grantFacts, grantForPrograms, grantStatusCell, policyText, principalText, usesText } from '../grant-text.ts';
import type { Session } from '../session.ts';

interface ListOptions extends FilterOptions {
  readonly all?: boolean;
  readonly limit?: string;
  readonly cursor?: string;
}

const MAX_LIMIT = 10_000;

function limitOption(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const limit = Number(text);
  if (/^\d{1,5}$/.test(text) && limit > 0 && limit <= MAX_LIMIT) return limit;
  throw new CommandError('usage', `--limit takes a number from 1 to ${String(MAX_LIMIT)}`);
}

async function list(session: Session, options: ListOptions): Promise<number> {
  const { output } = session;
  const now = Date.now();
  const filter = filterOption(options, options.all === true ? undefined : ['active']);
  const limit = limitOption(options.limit);
  const { grants, cursor } = await (
    await session.administration()
  ).findGrants(filter, {
    ...(limit === undefined ? {} : { limit }),
    ...(options.cursor === undefined ? {} : { cursor: options.cursor }),
  });
  output.result(grants.map(grantForPrograms), () => {
    if (grants.length === 0) return 'No grants. Issue one with: alter-proxy grant issue --secret <name> --label <purpose>';
    return output.table(
      ['id', 'label', 'for', 'secret', 'expires', 'last used', 'uses', 'policy', 'status'],
      grants.map(({ grant, secret, status, uses, lastUsedAt }) => [
        grant.id,
        grant.label,
        principalText(grant.principal),
        secret?.name ?? grant.secretId,
        formatInstant(grant.expiresAt, now),
        formatInstant(lastUsedAt, now),
        usesText(uses),
        policyText(grant) || '-',
        grantStatusCell(output, status),
      ]),
    );
  });
  if (cursor !== undefined) output.note(`There are more: add --cursor ${cursor}`);
  return session.listed();
}

/** `grant list` and `grant show`. */
export function addGrantListAndShow(group: Command, runtime: Runtime): void {
  const listing = addFilterOptions(
    declare(group, 'list', 'List the active grants of the app, oldest first.', [
      'alter-proxy grant list',
      'alter-proxy grant list --secret openai --all',
      'alter-proxy grant list --user okta:00u1abcd --expiring-within 7d',
      'alter-proxy grant list --limit 100 --cursor <id of the last grant of the page before>',
    ]),
  )
    .option('-a, --all', 'whatever their status')
    .option('--limit <number>', 'at most so many')
    .option('--cursor <grant-id>', 'only what comes after this grant');
  perform<ListOptions>(listing, runtime, list);
  const showing = declare(group, 'show <id>', 'Show a grant: status, uses, last use, policy, principal, and where it comes from.', [
    'alter-proxy grant show 0b54d9c5-6c1c-4c1e-9d3c-0a9a5e2f7b11',
  ]);
  perform(showing, runtime, async (session, _options, [id = '']) => {
    const view = await (await session.administration()).viewGrant(id);
    session.output.result(grantForPrograms(view), () => grantFacts(session.output, view, Date.now()));
    return 0;
  });
}
