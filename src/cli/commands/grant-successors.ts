import type { Command } from 'commander';
import { declare, durationOption, perform, type Runtime } from '../command.ts';
import { addLifeOptions, lifeOption, type LifeOptions } from '../grant-options.ts';
import { printIssued } from './grant-issue.ts';

interface CopyOptions extends LifeOptions {
  readonly label?: string;
}

const EXAMPLE_ID = '0b54d9c5-6c1c-4c1e-9d3c-0a9a5e2f7b11';

function copyOptions({ label, ...life }: CopyOptions) {
  return { ...(label === undefined ? {} : { label }), ...lifeOption(life) };
}

/** `grant clone`, `regenerate` and `delegate`. */
export function addGrantSuccessors(group: Command, runtime: Runtime): void {
  const cloning = addLifeOptions(
    declare(group, 'clone <id>', 'Issue a second grant like this one, which ends no later, and print its id.', [
      `alter-proxy grant clone ${EXAMPLE_ID} --label 'second worker' --ttl 1d`,
    ]).option('-l, --label <text>', 'label of the new grant (default: that of the old one)'),
    'as long as the old one',
  );
  perform<CopyOptions>(cloning, runtime, async (session, options, [id = '']) => {
    const administration = await session.administration();
    const grant = await administration.cloneGrant(id, copyOptions(options));
    printIssued(session, await administration.viewGrant(grant.id), 'Cloned');
    return 0;
  });
  const regenerating = declare(group, 'regenerate <id>', 'Give a grant a new id and print it. The old id ends at once, or after a grace.', [
    `alter-proxy grant regenerate ${EXAMPLE_ID}`,
    `alter-proxy grant regenerate ${EXAMPLE_ID} --grace 1h`,
  ]).option('--grace <duration>', 'how long the old id still works (default: not at all)');
  perform<{ readonly grace?: string }>(regenerating, runtime, async (session, options, [id = '']) => {
    const graceMs = durationOption('--grace', options.grace);
    const administration = await session.administration();
    const grant = await administration.regenerateGrant(id, graceMs === undefined ? {} : { graceMs });
    printIssued(session, await administration.viewGrant(grant.id), 'Regenerated');
    return 0;
  });
  const delegating = addLifeOptions(
    declare(group, 'delegate <id>', "Pass a user's or group's grant on to an agent, and print the id of the new grant.", [
      `alter-proxy grant delegate ${EXAMPLE_ID} --to-agent billing-bot --ttl 8h`,
    ])
      .requiredOption('--to-agent <name>', 'the agent; it sends the token of the user with each request')
      .option('-l, --label <text>', 'label of the new grant (default: that of the old one)'),
    'as long as the old one',
  );
  perform<CopyOptions & { readonly toAgent: string }>(delegating, runtime, async (session, { toAgent, ...options }, [id = '']) => {
    const administration = await session.administration();
    const grant = await administration.delegateGrant(id, { agent: toAgent, ...copyOptions(options) });
    printIssued(session, await administration.viewGrant(grant.id), 'Delegated');
    return 0;
  });
}
