/** Contract: of a delegation the agent and the user must both be right; the token is looked at only for who may use the grant at all. */
import test from 'ava';
import { AlterError } from '../../../src/errors.ts';
import type { MaybePromise } from '../../../src/message/maybe-promise.ts';
import type { Exchange } from '../../../src/pipeline/exchange.ts';
import { principalStage } from '../../../src/pipeline/stage-principal.ts';
import type { Caller } from '../../../src/principals/caller.ts';
import type { VerifiedUser } from '../../../src/principals/user.ts';
import type { GrantPrincipal } from '../../../src/vault/records.ts';

const bot: Caller = { app: 'default', type: 'agent', agent: 'bot', keyId: 'k' };
const ann: VerifiedUser = { app: 'default', idp: 'okta', subject: 'ann', groups: new Set(['staff']) };
const forBot: GrantPrincipal = { type: 'agent', agent: 'bot' };

interface Given {
  /** That of `bot` unless told. */
  readonly principal?: GrantPrincipal;
  readonly source?: GrantPrincipal;
  readonly caller?: Caller;
  readonly user?: MaybePromise<VerifiedUser>;
  readonly needDelegation?: boolean;
}

/** What the stage answers to a grant, and how often it asked whom the token speaks for. */
async function answerTo(given: Given): Promise<readonly [answer: string, asked: number]> {
  const { principal = forBot, source, caller = bot, user = ann, needDelegation = false } = given;
  let asked = 0;
  const userOf = (): MaybePromise<VerifiedUser> => {
    asked += 1;
    return user;
  };
  const stage = principalStage({ users: { userOf }, needDelegation });
  const grant = { app: 'default', principal };
  const resolved = source === undefined ? { grant } : { grant, source: { app: 'default', principal: source } };
  const exchange = { resolved, caller, alter: { userToken: 'token' } } as unknown as Exchange;
  try {
    const answer = await stage.run(exchange);
    return [answer.answer, asked];
  } catch (error) {
    return [error instanceof AlterError ? error.code : String(error), asked];
  }
}

test('a grant that is no delegation asks for no user', async (t) => {
  t.deepEqual(await answerTo({}), ['continue', 0]);
});

test('the user, or a member of the group, whose grant was passed on stands behind the agent', async (t) => {
  const user = { type: 'user', idp: 'okta', subject: 'ann' } as const;
  const group = { type: 'group', idp: 'okta', group: 'staff' } as const;
  for (const source of [user, group]) {
    t.deepEqual(await answerTo({ source }), ['continue', 1]);
    t.deepEqual(await answerTo({ source, user: Promise.resolve(ann) }), ['continue', 1]);
    t.deepEqual(await answerTo({ source, user: { ...ann, idp: 'other' } }), ['principal_mismatch', 1]);
    t.deepEqual(await answerTo({ source, user: { ...ann, app: 'other' } }), ['principal_mismatch', 1]);
  }
  t.deepEqual(await answerTo({ source: user, user: { ...ann, subject: 'Ann' } }), ['principal_mismatch', 1]);
  t.deepEqual(await answerTo({ source: group, user: { ...ann, groups: new Set(['staff2']) } }), ['principal_mismatch', 1]);
});

test('another caller than the agent is refused before the token is looked at', async (t) => {
  const source = { type: 'user', idp: 'okta', subject: 'ann' } as const;
  t.deepEqual(await answerTo({ source, caller: { ...bot, agent: 'other' } }), ['principal_mismatch', 0]);
  t.deepEqual(await answerTo({ source, caller: { app: 'default', type: 'app', keyId: 'k' } }), ['principal_mismatch', 0]);
  t.deepEqual(await answerTo({ source, caller: { ...bot, app: 'other' } }), ['principal_mismatch', 0]);
});

test('where agents need a delegation, no token opens them the grant of a user or a group', async (t) => {
  const user = { type: 'user', idp: 'okta', subject: 'ann' } as const;
  const group = { type: 'group', idp: 'okta', group: 'staff' } as const;
  for (const principal of [user, group]) {
    t.deepEqual(await answerTo({ principal }), ['continue', 1]);
    t.deepEqual(await answerTo({ principal, needDelegation: true }), ['principal_mismatch', 0]);
    t.deepEqual(await answerTo({ source: principal, needDelegation: true }), ['continue', 1]);
    t.deepEqual(await answerTo({ principal, caller: { app: 'default', type: 'app', keyId: 'k' }, needDelegation: true }), ['continue', 1]);
  }
  t.deepEqual(await answerTo({ needDelegation: true }), ['continue', 0], 'a grant of its own');
});

test('what is under way stands only while a new request would', (t) => {
  const grant = { app: 'default', principal: { type: 'user', idp: 'okta', subject: 'ann' } };
  const exchange = { resolved: { grant }, caller: bot, alter: {}, user: ann } as unknown as Exchange;
  const standsWith = (needDelegation: boolean) => principalStage({ users: { userOf: () => ann }, needDelegation }).stands?.(exchange);
  t.like(standsWith(false), { answer: 'continue' });
  t.throws(() => standsWith(true), { instanceOf: AlterError, code: 'principal_mismatch' });
});

test('a token that speaks for nobody refuses', async (t) => {
  const source = { type: 'user', idp: 'okta', subject: 'ann' } as const;
  const refused = Promise.reject(new AlterError('user_token_invalid'));
  refused.catch(() => undefined);
  t.deepEqual(await answerTo({ source, user: refused }), ['user_token_invalid', 1]);
});
