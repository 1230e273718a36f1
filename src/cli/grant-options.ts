/** Options that several commands about grants share, and what they mean. */
import type { Command } from 'commander';
import { CommandError } from '../errors.ts';
import type { AskedLife } from '../vault/grants/life.ts';
import type { GrantFilter } from '../vault/grants/find.ts';
import { GRANT_STATUSES } from '../vault/grants/view.ts';
import type { GrantStatus } from '../vault/grants/view.ts';
import type { GrantPrincipal } from '../vault/records.ts';
import { collect, durationOption } from './command.ts';
import { parseInstant } from '../message/duration.ts';

/** For whom. */
export interface PrincipalOptions {
  readonly user?: string;
  readonly group?: string;
  readonly agent?: string;
}

/** Until when. */
export interface LifeOptions {
  readonly ttl?: string;
  readonly expiresAt?: string;
}

/** Which grants. */
export interface FilterOptions extends PrincipalOptions {
  readonly secret?: string;
  readonly provider?: string;
  readonly principal?: string;
  readonly status?: readonly string[];
  readonly withLabel?: string;
  readonly expiringWithin?: string;
}

const TYPES = ['system', 'user', 'group', 'agent'] as const satisfies readonly GrantPrincipal['type'][];

/** Declares `--ttl` and `--expires-at`. */
export function addLifeOptions(command: Command, otherwise: string): Command {
  return command
    .option('--ttl <duration>', `how long it is valid from now on, such as 12h or 30d (default: ${otherwise})`)
    .option('--expires-at <instant>', 'until when it is valid: 2027-01-31, or 2027-01-31T18:00:00Z');
}

/** Declares the options that choose grants. */
export function addFilterOptions(command: Command): Command {
  return command
    .option('-s, --secret <name-or-id>', 'only grants of this secret')
    .option('--provider <slug>', 'only grants of secrets of this provider')
    .option('--principal <type>', `only grants for: ${TYPES.join(', ')}`)
    .option('--user <idp:subject>', 'only grants for this user')
    .option('--group <idp:group>', 'only grants for this group')
    .option('--agent <name>', 'only grants for this agent')
    .option('--status <status>', `only grants that are: ${GRANT_STATUSES.join(', ')} (repeatable)`, collect)
    .option('--with-label <text>', 'only grants whose label contains the text')
    .option('--expiring-within <duration>', 'only grants that expire within this time');
}

/** The principal that the options name, or undefined. Throws CommandError `usage`. */
export function principalOption({ user, group, agent }: PrincipalOptions): GrantPrincipal | undefined {
  const named = [
    user === undefined ? undefined : userPrincipal('--user', user),
    group === undefined ? undefined : groupPrincipal('--group', group),
    agent === undefined ? undefined : ({ type: 'agent', agent } as const),
  ].filter((principal) => principal !== undefined);
  if (named.length > 1) throw new CommandError('usage', 'a grant has one principal: name a user, a group or an agent');
  return named[0];
}

/** `okta:ann` as the user of an identity provider. `where` names the place for the error. */
export function userPrincipal(where: string, text: string): GrantPrincipal {
  const [idp, subject] = splitExternal(where, text);
  return { type: 'user', idp, subject };
}

/** `okta:staff` as a group of an identity provider. */
export function groupPrincipal(where: string, text: string): GrantPrincipal {
  const [idp, group] = splitExternal(where, text);
  return { type: 'group', idp, group };
}

/** What an identity provider calls its users may hold colons; its own name here does not. */
function splitExternal(where: string, text: string): readonly [string, string] {
  const at = text.indexOf(':');
  if (at > 0 && at < text.length - 1) return [text.slice(0, at), text.slice(at + 1)];
  throw new CommandError('usage', `${where} takes the name of an identity provider, a colon, and what it calls the user or group`, {
    hint: 'Write it as okta:00u1abcd.',
  });
}

/** The life that the options ask for. Throws CommandError `usage`. */
export function lifeOption({ ttl, expiresAt }: LifeOptions): AskedLife {
  if (ttl !== undefined && expiresAt !== undefined) throw new CommandError('usage', 'give --ttl or --expires-at, not both');
  const ttlMs = durationOption('--ttl', ttl);
  if (ttlMs !== undefined) return { ttlMs };
  return expiresAt === undefined ? {} : { expiresAt: instantOption('--expires-at', expiresAt) };
}

/** Milliseconds since the epoch of the instant given to `where`. Throws CommandError `usage`. */
export function instantOption(where: string, text: string): number {
  const instant = parseInstant(text);
  if (instant === undefined) {
    throw new CommandError('usage', `${where} is not an instant`, { hint: 'Write 2027-01-31, or 2027-01-31T18:00:00Z.' });
  }
  return instant;
}

/** The filter that the options describe; `statuses` when none is named. Throws CommandError `usage`. */
export function filterOption(options: FilterOptions, statuses: readonly GrantStatus[] | undefined): GrantFilter {
  // A variable of the shell that is not set must not choose every grant.
  if (options.withLabel === '') throw new CommandError('usage', '--with-label must not be empty: every label contains the empty text');
  const principal = principalOption(options);
  const expiringWithinMs = durationOption('--expiring-within', options.expiringWithin);
  const status = options.status === undefined ? statuses : options.status.flatMap((text) => text.split(',')).map(statusWord);
  return {
    ...(options.secret === undefined ? {} : { secret: options.secret }),
    ...(options.provider === undefined ? {} : { provider: options.provider }),
    ...(options.principal === undefined ? {} : { principalType: typeWord(options.principal) }),
    ...(principal === undefined ? {} : { principal }),
    ...(status === undefined ? {} : { status }),
    ...(options.withLabel === undefined ? {} : { label: options.withLabel }),
    ...(expiringWithinMs === undefined ? {} : { expiringWithinMs }),
  };
}

function statusWord(text: string): GrantStatus {
  const status = GRANT_STATUSES.find((known) => known === text.trim());
  if (status === undefined) throw new CommandError('usage', `--status takes: ${GRANT_STATUSES.join(', ')}`);
  return status;
}

function typeWord(text: string): GrantPrincipal['type'] {
  const type = TYPES.find((known) => known === text);
  if (type === undefined) throw new CommandError('usage', `--principal takes: ${TYPES.join(', ')}`);
  return type;
}
