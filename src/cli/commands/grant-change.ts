import type { Command } from 'commander';
import { CommandError } from '../../errors.ts';
import type { GrantChange, GrantEdit } from '../../vault/grants/change.ts';
import type { GrantStatus } from '../../vault/grants/view.ts';
import { printBulk } from '../bulk-output.ts';
import { declare, perform, type Runtime } from '../command.ts';
import { confirmByName } from '../confirm.ts';
import { addFilterOptions, addLifeOptions, filterOption, lifeOption, type FilterOptions, type LifeOptions } from '../grant-options.ts';
import { grantForPrograms } from '../grant-text.ts';
import type { Session } from '../session.ts';

interface SelectOptions extends FilterOptions {
  readonly dryRun?: boolean;
}

interface EditOptions extends SelectOptions, LifeOptions {
  readonly label?: string;
  readonly description?: string;
  readonly endless?: boolean;
}

const EXAMPLE_ID = '0b54d9c5-6c1c-4c1e-9d3c-0a9a5e2f7b11';
const FILTERS: readonly (keyof FilterOptions)[] = [
  ...(['secret', 'provider', 'principal', 'user', 'group', 'agent', 'status', 'withLabel', 'expiringWithin'] as const),
];

/** What can be revoked: what works now, or would again with its secret, its identity provider or its source. */
const REVOCABLE: readonly GrantStatus[] = ['active', 'credential_revoked', 'principal_ended', 'source_ended'];

/** The ids that were named, or those that the filter finds. Throws CommandError `usage` for both and for neither. */
async function selectedIds(
  session: Session,
  ids: readonly string[],
  options: SelectOptions,
  statuses: readonly GrantStatus[],
): Promise<readonly string[]> {
  const filtered = FILTERS.some((name) => options[name] !== undefined);
  if (filtered === ids.length > 0) {
    throw new CommandError('usage', filtered ? 'name grants, or choose them with options, not both' : 'no grant is named or chosen', {
      hint: 'Name ids, or choose grants with --secret, --user, --with-label and the like.',
    });
  }
  if (!filtered) return ids;
  const { grants } = await (await session.administration()).findGrants(filterOption(options, statuses));
  return grants.map(({ grant }) => grant.id);
}

/** One named grant is told as one; several, or chosen ones, with a result each. */
async function change(
  session: Session,
  ids: readonly string[],
  options: SelectOptions,
  what: { readonly change: GrantChange; readonly done: string },
): Promise<number> {
  const administration = await session.administration();
  const dryRun = options.dryRun === true;
  const [only, another] = ids;
  const selected = await selectedIds(session, ids, options, what.change === 'revoke' ? REVOCABLE : ['active']);
  const results = await administration.changeGrants(selected, what.change, { dryRun });
  if (only === undefined || another !== undefined || dryRun) {
    const rows = results.map((result, index) => ({ name: `#${String(index + 1)}`, result }));
    const failed = printBulk(session.output, rows, { done: what.done, dryRun });
    // What cannot be read could not be chosen either.
    return ids.length === 0 ? Math.max(failed, session.listed()) : failed;
  }
  const [result] = results;
  if (result?.ok === false) throw result.error;
  const view = await administration.viewGrant(only);
  session.output.result(grantForPrograms(view), () => `The grant ${view.grant.id} (${view.grant.label}) is ${what.done}`);
  return 0;
}

function editOf(options: EditOptions): GrantEdit {
  const { label, description, endless } = options;
  const life = lifeOption(options);
  if (endless === true && Object.keys(life).length > 0) {
    throw new CommandError('usage', '--endless takes the expiry away: it goes with neither --ttl nor --expires-at');
  }
  const edit: GrantEdit = {
    ...(label === undefined ? {} : { label }),
    ...(description === undefined ? {} : { description }),
    ...life,
    ...(endless === undefined ? {} : { endless }),
  };
  if (Object.keys(edit).length === 0) {
    throw new CommandError('usage', 'nothing to change', {
      hint: 'Pass --label, --description, --ttl, --expires-at or --endless.',
    });
  }
  return edit;
}

async function remove(session: Session, id: string, yes: boolean): Promise<void> {
  const administration = await session.administration();
  const { grant } = await administration.viewGrant(id);
  const effect = `Deleting grant ${grant.id} (${grant.label}) cannot be undone; \`grant revoke\` can.`;
  if (!yes) await confirmByName(session.terminal, effect, grant.label);
  await administration.deleteGrant(grant.id);
  const view = await administration.viewGrant(grant.id);
  session.output.result(grantForPrograms(view), () => `Deleted grant ${grant.id} (${grant.label})`);
}

/** `grant edit`, `revoke`, `reactivate` and `delete`. */
export function addGrantChanges(group: Command, runtime: Runtime): void {
  const editing = addLifeOptions(
    declare(group, 'edit [id...]', 'Change label, description or expiry of grants. Principal and secret never change.', [
      `alter-proxy grant edit ${EXAMPLE_ID} --label 'weekly report'`,
      'alter-proxy grant edit --secret openai --expiring-within 7d --ttl 30d --dry-run',
    ])
      .option('-l, --label <text>', 'new label')
      .option('-d, --description <text>', "new description; '' takes it away"),
    'the expiry stays',
  ).option('--endless', 'take the expiry away');
  perform<EditOptions>(addFilterOptions(withDryRun(editing)), runtime, (session, options, ids) =>
    change(session, ids, options, { change: { edit: editOf(options) }, done: 'changed' }),
  );
  const revoking = declare(group, 'revoke [id...]', 'Revoke grants; the next request with them is refused, until they are reactivated.', [
    `alter-proxy grant revoke ${EXAMPLE_ID}`,
    'alter-proxy grant revoke --agent billing-bot --dry-run',
  ]);
  perform<SelectOptions>(addFilterOptions(withDryRun(revoking)), runtime, (session, options, ids) =>
    change(session, ids, options, { change: 'revoke', done: 'revoked' }),
  );
  const reactivating = declare(group, 'reactivate <id...>', 'Take the revocation of grants back.', [
    `alter-proxy grant reactivate ${EXAMPLE_ID}`,
  ]);
  perform<SelectOptions>(withDryRun(reactivating), runtime, (session, options, ids) =>
    change(session, ids, options, { change: 'reactivate', done: 'active' }),
  );
  const deleting = declare(group, 'delete <id>', 'Delete a grant for good.', [`alter-proxy grant delete ${EXAMPLE_ID}`]);
  perform<{ readonly yes?: boolean }>(deleting.option('-y, --yes', 'do not ask'), runtime, async (session, options, [id = '']) => {
    await remove(session, id, options.yes === true);
    return 0;
  });
}

function withDryRun(command: Command): Command {
  return command.option('--dry-run', 'only show what would change');
}
