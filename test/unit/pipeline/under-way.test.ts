/** Contract: what is under way ends when its caller or its grant does, and an outage ends nothing but what is known to have expired. */
import test from 'ava';
import { AlterError, type WireCode } from '../../../src/errors.ts';
import type { Exchange } from '../../../src/pipeline/exchange.ts';
import { createStanding, Round, type Use } from '../../../src/pipeline/standing.ts';
import { CONTINUE, reject, type Stage } from '../../../src/pipeline/stage.ts';
import { UnderWay } from '../../../src/pipeline/under-way.ts';
import type { ResolvedGrant } from '../../../src/vault/resolved.ts';
import { eventually } from '../../support/eventually.ts';

const NOW = 1_790_000_000_000;
const CALLER = Object.freeze({ app: 'default', type: 'app', keyId: 'k' } as const);

const resolved = (expiresAt?: number) =>
  ({ grant: { app: 'default', id: 'g', policy: [], ...(expiresAt === undefined ? {} : { expiresAt }) } }) as unknown as ResolvedGrant;

function use(
  options: { readonly stillCalls?: Use['stillCalls']; readonly grant?: ResolvedGrant; readonly caller?: Use['caller'] } = {},
): Use {
  const { caller = CALLER, grant } = options;
  const exchange = grant === undefined ? undefined : ({ resolved: grant, stages: [] } as unknown as Exchange);
  return {
    caller,
    clientAddress: '::1',
    stillCalls: options.stillCalls ?? (() => caller),
    exchange,
    place: -1,
    interrupt: () => undefined,
  };
}

const refusing = (code: WireCode) => (): never => {
  throw new AlterError(code);
};

async function endOf(judged: Use, resolveGrant: () => ResolvedGrant = () => resolved(), stages: readonly Stage[] = []): Promise<string> {
  const standing = createStanding({ grants: { resolveGrant }, stages, now: () => NOW });
  const verdict = await standing(judged, new Round());
  return verdict instanceof AlterError ? verdict.code : 'goes on';
}

test('a caller or a grant that would be refused now ends its use, with the code of the refusal', async (t) => {
  t.is(await endOf(use({ grant: resolved() })), 'goes on');
  for (const code of ['key_revoked', 'key_expired', 'agent_inactive', 'invalid_key'] as const) {
    t.is(await endOf(use({ stillCalls: refusing(code) })), code);
    t.is(await endOf(use({ stillCalls: () => Promise.reject(new AlterError(code)) })), code);
  }
  for (const code of ['grant_revoked', 'grant_deleted', 'grant_expired', 'grant_not_found', 'credential_revoked'] as const)
    t.is(await endOf(use({ grant: resolved() }), refusing(code)), code);
});

test('an outage ends nothing, except what is known to have expired', async (t) => {
  const down = refusing('store_unavailable');
  t.is(await endOf(use({ stillCalls: down, grant: resolved(NOW + 1) }), down), 'goes on');
  t.is(await endOf(use({ grant: resolved(NOW) }), down), 'grant_expired');
  t.is(await endOf(use({ stillCalls: down, caller: { ...CALLER, expiresAt: NOW } })), 'key_expired');
  t.is(await endOf(use({ grant: resolved() }), refusing('internal_error')), 'goes on');
});

test('the stages that can say so judge again, by what the grant is now; the others do not', async (t) => {
  const fresh = resolved();
  const seen: (ResolvedGrant | undefined)[] = [];
  const lasting = (answer: typeof CONTINUE): Stage => ({
    name: 'lasting',
    run: () => reject(new AlterError('internal_error')),
    stands: ({ resolved: now }) => (seen.push(now), answer),
  });
  const once: Stage = { name: 'once', run: () => reject(new AlterError('rate_limited')) };
  const grant = resolved();
  t.is(await endOf(use({ grant }), () => fresh, [once, lasting(CONTINUE)]), 'goes on');
  t.is(await endOf(use({ grant }), () => fresh, [lasting(reject(new AlterError('policy_violation')))]), 'policy_violation');
  t.deepEqual(seen, [fresh, fresh]);
});

test('a stage that is waited for, or comes after it, is not asked yet', async (t) => {
  const grant = resolved();
  const refuses = (name: string): Stage => ({
    name,
    run: () => CONTINUE,
    stands: () => reject(new AlterError('policy_violation', { rule: name })),
  });
  const waiting = use({ grant });
  Object.assign(waiting.exchange!, { stages: ['first', 'second'], waitsIn: 'second' });
  t.is(await endOf(waiting, () => grant, [refuses('second'), refuses('third')]), 'goes on');
  t.is(await endOf(waiting, () => grant, [refuses('first'), refuses('second')]), 'policy_violation');
});

test('uses of one grant and one caller ask once in a round', async (t) => {
  let asked = 0;
  const count =
    <T>(value: T) =>
    () => ((asked += 1), Promise.resolve(value));
  const standing = createStanding({ grants: { resolveGrant: count(resolved()) }, stages: [], now: () => NOW });
  const round = new Round();
  const uses = Array.from({ length: 10 }, () => use({ grant: resolved(), stillCalls: count(CALLER) }));
  await Promise.all(uses.map(async (one) => standing(one, round)));
  t.is(asked, 2);
});

test('who has left is not interrupted, and nobody twice', async (t) => {
  const ended: string[] = [];
  const named = (name: string): Use => ({ ...use(), interrupt: ({ code }) => ended.push(`${name} ${code}`) });
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  let looks = 0;
  const underWay = new UnderWay(() => ((looks += 1), held.then(() => new AlterError('key_revoked'))), 5);
  t.teardown(() => {
    underWay.close();
  });
  const [stays, leaves] = [named('stays'), named('leaves')];
  underWay.enter(stays);
  underWay.enter(leaves);
  await eventually(() => (looks >= 2 ? true : undefined), 'a look at both');
  underWay.leave(leaves);
  release();
  await eventually(() => (ended.length > 0 ? true : undefined), 'the end');
  t.deepEqual(ended, ['stays key_revoked']);
  t.is(looks, 2, 'while the answer is waited for, it is not asked for again');
});
