import type { Command } from 'commander';
import { declare, perform, type Runtime } from '../command.ts';
import { formatInstant, formatSpan, isoInstant } from '../duration.ts';
import { usesText } from '../grant-text.ts';
import { shortOrigin } from '../origin-text.ts';
import { secretForPrograms } from '../secret-text.ts';
import type { Session } from '../session.ts';

async function show(session: Session, idOrName: string): Promise<void> {
  const { output } = session;
  const now = Date.now();
  const administration = await session.administration();
  const secret = await administration.showSecret(idOrName);
  const { grants } = await administration.findGrants({ secret: secret.id });
  const active = grants.filter(({ grant }) => grant.status === 'active').length;
  const uses = grants.reduce<number | undefined>((sum, grant) => plus(sum, grant.uses), 0);
  const lastUsedAt = grants.reduce<number | undefined>((last, grant) => later(last, grant.lastUsedAt), undefined);
  const usage = { activeGrants: active, uses: uses ?? null, lastUsedAt: isoInstant(lastUsedAt), ageMs: now - secret.rotatedAt };
  output.result({ ...secretForPrograms(secret), ...usage }, () =>
    output.facts([
      ['Name', secret.name],
      ['Id', secret.id],
      ['App', secret.app],
      ['Provider', secret.provider],
      ...secret.origins.map((origin, index) => [index === 0 ? 'Destinations' : '', shortOrigin(origin)] as const),
      ['Status', secret.status],
      ['Version', String(secret.version)],
      ['Created', isoInstant(secret.createdAt) ?? ''],
      ['Rotated', secret.version > 1 ? (isoInstant(secret.rotatedAt) ?? '') : 'never'],
      ['Renewed', isoInstant(secret.renewedAt) ?? undefined],
      ['Age', formatSpan(Math.max(0, now - secret.rotatedAt))],
      ['Longest life of grants', secret.maxTtlS === undefined ? 'any' : formatSpan(secret.maxTtlS * 1000)],
      ['Active grants', String(active)],
      ['Uses', usesText(uses)],
      ['Last used', formatInstant(lastUsedAt, now)],
      ['Value', { painted: output.paint('dim', 'stored; it cannot be read back') }],
    ]),
  );
}

function plus(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : one + other;
}

function later(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other);
}

/** `secret show`. */
export function addSecretShow(group: Command, runtime: Runtime): void {
  const command = declare(group, 'show <name-or-id>', 'Show what is known about a secret, with age and last use; never its value.', [
    'alter-proxy secret show openai',
  ]);
  perform(command, runtime, async (session, _options, [idOrName = '']) => {
    await show(session, idOrName);
    return 0;
  });
}
