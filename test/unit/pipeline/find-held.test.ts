/** Contract: the index only says where to look; a grant is found when it is usable and really belongs to this user, or to a group of the user. */
import test from 'ava';
import { AlterError } from '../../../src/errors.ts';
import type { WireCode } from '../../../src/errors.ts';
import type { MaybePromise } from '../../../src/message/maybe-promise.ts';
import { findHeld } from '../../../src/pipeline/find-held.ts';
import type { HeldGrantSource } from '../../../src/pipeline/find-held.ts';
import { holderId } from '../../../src/vault/holders.ts';
import type { HolderPrincipal } from '../../../src/vault/holders.ts';
import type { GrantPrincipal } from '../../../src/vault/records.ts';
import type { ResolvedGrant } from '../../../src/vault/resolved.ts';
import { codeOf } from '../../support/vault-fixture.ts';

const ALICE: HolderPrincipal = { type: 'user', idp: 'corp', subject: 'alice' };
const SALES: HolderPrincipal = { type: 'group', idp: 'corp', group: 'sales' };
const EMEA: HolderPrincipal = { type: 'group', idp: 'corp', group: 'emea' };
const user = { app: 'default', idp: 'corp', subject: 'alice', groups: new Set(['sales', 'emea']) };

interface Held {
  readonly id: string;
  readonly holder: HolderPrincipal;
  readonly principal?: GrantPrincipal;
  readonly provider?: string;
  readonly fails?: WireCode;
  readonly later?: boolean;
}

function grants(held: readonly Held[], later = false): HeldGrantSource {
  const maybe = <T>(make: () => T, slow = later): MaybePromise<T> => (slow ? Promise.resolve().then(make) : make());
  return {
    access: {
      findHolder: (app, id) =>
        maybe(() => ({
          ...{ v: 1, id, app, createdAt: 0, updatedAt: 0 },
          grants: held.filter(({ holder }) => holderId(holder) === id).map((grant) => ({ id: grant.id, provider: 'acme' })),
        })),
    },
    resolveGrant: (_app, id) => {
      const found = held.find((grant) => grant.id === id);
      return maybe(() => {
        if (found === undefined || found.fails !== undefined) throw new AlterError(found?.fails ?? 'grant_not_found');
        const { principal = found.holder, provider = 'acme' } = found;
        return { grant: { id, label: `label ${id}`, principal }, secret: { provider } } as unknown as ResolvedGrant;
      }, found?.later);
    },
  };
}

async function found(held: readonly Held[], later = false): Promise<string> {
  let id = '';
  const code = await codeOf(async () => {
    id = (await findHeld(grants(held, later), user, 'acme')).grant.id;
  });
  return code === 'none' ? id : code;
}

test("the user's own grant comes before those of groups, at once when all is at hand", async (t) => {
  const held = [
    { id: 'own', holder: ALICE },
    { id: 'group', holder: SALES },
  ];
  t.is(await found(held), 'own');
  t.is(await found(held, true), 'own');
  t.false(findHeld(grants(held), user, 'acme') instanceof Promise);
});

test('without an own one it is that of a group', async (t) => {
  for (const later of [false, true]) t.is(await found([{ id: 'group', holder: EMEA }], later), 'group');
});

test('a grant that has ended is as good as none', async (t) => {
  for (const fails of ['grant_expired', 'grant_revoked', 'grant_deleted', 'grant_not_found', 'credential_revoked'] as const) {
    for (const later of [false, true]) {
      t.is(await found([{ id: 'own', holder: ALICE, fails }], later), 'grant_not_found:no_grant_for_provider', fails);
      const others = [{ id: 'own', holder: ALICE, fails }, { id: 'group', holder: SALES }]; // prettier-ignore
      t.is(await found(others, later), 'group', fails);
    }
  }
});

test('a store that fails denies, and is not taken for no grant', async (t) => {
  for (const later of [false, true]) {
    const held: Held[] = [
      { id: 'own', holder: ALICE, fails: 'store_unavailable' },
      { id: 'group', holder: SALES },
    ];
    t.is(await found(held, later), 'store_unavailable');
  }
});

// A rejection that nobody hears of would end this process, and with it the test.
test('of several failures, some at once and some later, one is told and none is left unheard', async (t) => {
  const later = { id: 'later', holder: ALICE, fails: 'store_unavailable', later: true } as const;
  const atOnce = { id: 'at once', holder: ALICE, fails: 'policy_unavailable' } as const;
  for (const held of [[later, atOnce], [atOnce, later]]) t.is(await found(held), 'policy_unavailable'); // prettier-ignore
});

test('what the index says and the grant does not is not found', async (t) => {
  const lies: Partial<Held>[] = [
    { principal: { ...ALICE, subject: 'bob' } },
    { principal: { ...ALICE, idp: 'corp2' } },
    { principal: SALES },
    { principal: { type: 'system' } },
    { provider: 'other' },
  ];
  for (const lie of lies) {
    t.is(await found([{ id: 'own', holder: ALICE, ...lie }]), 'grant_not_found:no_grant_for_provider', JSON.stringify(lie));
  }
});

test('several are told by their labels, those of the user only when the user has several', async (t) => {
  const detailOf = (held: readonly Held[]): string | undefined => {
    const error = t.throws<AlterError>(() => findHeld(grants(held), user, 'acme'));
    t.is(error.code, 'ambiguous_grant');
    return error.detail;
  };
  const group = { id: 'c', holder: SALES };
  t.is(detailOf([{ id: 'a', holder: ALICE }, { id: 'b', holder: ALICE }, group]), 'several grants fit: "label a", "label b"');
  t.is(detailOf([group, { id: 'd', holder: EMEA }]), 'several grants fit: "label c", "label d"');
  const many = Array.from({ length: 12 }, (_, index) => ({ id: String(index), holder: ALICE }));
  t.regex(detailOf(many) ?? '', /"label 9" and 2 more$/);
});
