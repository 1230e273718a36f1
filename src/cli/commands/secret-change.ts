import type { Command } from 'commander';
import { CommandError } from '../../errors.ts';
import type { SecretFacts } from '../../vault/resolved.ts';
import { declare, durationOption, perform, type Runtime } from '../command.ts';
import { formatSpan } from '../duration.ts';
import { secretForPrograms } from '../secret-text.ts';
import type { Session } from '../session.ts';

interface EditOptions {
  readonly maxTtl?: string;
  readonly anyTtl?: boolean;
}

/** Seconds of `--max-ttl`. Throws CommandError `usage`. */
export function maxTtlOption(text: string | undefined): number | undefined {
  const ms = durationOption('--max-ttl', text);
  return ms === undefined ? undefined : ms / 1000;
}

async function edit(session: Session, idOrName: string, options: EditOptions): Promise<void> {
  const maxTtlS = options.anyTtl === true ? 'none' : maxTtlOption(options.maxTtl);
  if (maxTtlS === undefined || (options.anyTtl === true && options.maxTtl !== undefined))
    throw new CommandError('usage', 'give either --max-ttl or --any-ttl');
  const secret = await (await session.administration()).editSecret(idOrName, { maxTtlS });
  const life = secret.maxTtlS === undefined ? 'any time' : `at most ${formatSpan(secret.maxTtlS * 1000)}`;
  print(session, secret, `New grants of secret ${secret.name} live ${life}`);
}

function print(session: Session, secret: SecretFacts, text: string): void {
  session.output.result(secretForPrograms(secret), () => text);
}

/** `secret edit`, `revoke` and `reactivate`. */
export function addSecretChanges(group: Command, runtime: Runtime): void {
  const editing = declare(group, 'edit <name-or-id>', 'Change the longest life of new grants of a secret.', [
    'alter-proxy secret edit openai --max-ttl 30d',
    'alter-proxy secret edit openai --any-ttl',
  ])
    .option('--max-ttl <duration>', 'longest life of a new grant, such as 30d')
    .option('--any-ttl', 'no longest life');
  perform<EditOptions>(editing, runtime, async (session, options, [idOrName = '']) => {
    await edit(session, idOrName, options);
    return 0;
  });
  const revoking = declare(group, 'revoke <name-or-id>', 'Revoke a secret. Its grants stop working at once, until it is reactivated.', [
    'alter-proxy secret revoke openai',
  ]);
  perform(revoking, runtime, async (session, _options, [idOrName = '']) => {
    const secret = await (await session.administration()).revokeSecret(idOrName);
    if (secret.status === 'deleted') throw new CommandError('not_found', `secret ${secret.name} is deleted`);
    print(session, secret, `Revoked secret ${secret.name} (${secret.id})`);
    return 0;
  });
  const reactivating = declare(group, 'reactivate <name-or-id>', 'Take the revocation of a secret back. Its grants work again.', [
    'alter-proxy secret reactivate openai',
  ]);
  perform(reactivating, runtime, async (session, _options, [idOrName = '']) => {
    const secret = await (await session.administration()).reactivateSecret(idOrName);
    print(session, secret, `Secret ${secret.name} (${secret.id}) is active`);
    return 0;
  });
}
