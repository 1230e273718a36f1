import type { Command } from 'commander';
import { declare, perform, type Runtime } from '../command.ts';

interface PermissionOptions {
  readonly secret: string;
}

/** `agent allow` and `agent disallow`: on which secrets an agent may issue grants for itself. */
export function addAgentPermissions(group: Command, runtime: Runtime): void {
  const allowing = declare(group, 'allow <name>', 'Let an agent issue grants for itself on a secret.', [
    'alter-proxy agent allow billing-bot --secret stripe',
  ]).requiredOption('-s, --secret <name-or-id>', 'the secret');
  perform<PermissionOptions>(allowing, runtime, async (session, { secret }, [name = '']) => {
    const agent = await (await session.administration()).allowAgent(name, secret);
    session.output.result({ agent: agent.id, mayIssue: agent.mayIssue }, () => `Agent ${agent.id} may issue grants on ${secret}`);
    return 0;
  });
  const disallowing = declare(group, 'disallow <name>', 'Take that back. Grants that the agent has issued already go on.', [
    'alter-proxy agent disallow billing-bot --secret stripe',
  ]).requiredOption('-s, --secret <name-or-id>', 'the secret');
  perform<PermissionOptions>(disallowing, runtime, async (session, { secret }, [name = '']) => {
    const agent = await (await session.administration()).disallowAgent(name, secret);
    session.output.result({ agent: agent.id, mayIssue: agent.mayIssue }, () => `Agent ${agent.id} may issue no new grants on ${secret}`);
    return 0;
  });
}
