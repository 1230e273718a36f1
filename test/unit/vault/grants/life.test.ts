import test from 'ava';
import { CommandError } from '../../../../src/errors.ts';
import { checkMayBeEndless, expiryWithin, longestLife } from '../../../../src/vault/grants/life.ts';

const NOW = 1_000_000;
const AT = { issuedAt: NOW, now: NOW };
const FREE = { maxTtlMs: undefined, notAfter: undefined };

function codeOf(action: () => unknown): string {
  try {
    action();
    return 'none';
  } catch (error) {
    if (error instanceof CommandError) return error.code;
    throw error;
  }
}

test('the longest life is the shorter of what secret and configuration allow', (t) => {
  t.is(longestLife({}, undefined), undefined);
  t.is(longestLife({ maxTtlS: 60 }, undefined), 60_000);
  t.is(longestLife({}, 5000), 5000);
  t.is(longestLife({ maxTtlS: 60 }, 5000), 5000);
  t.is(longestLife({ maxTtlS: 4 }, 5000), 4000);
});

test('a grant without a wish lives as long as it may', (t) => {
  t.deepEqual(expiryWithin({}, FREE, AT), {});
  t.deepEqual(expiryWithin({}, { ...FREE, maxTtlMs: 500 }, AT), { expiresAt: NOW + 500 });
  t.deepEqual(expiryWithin({}, { ...FREE, notAfter: NOW + 300 }, AT), { expiresAt: NOW + 300 });
  t.deepEqual(expiryWithin({}, { maxTtlMs: 500, notAfter: NOW + 300 }, AT), { expiresAt: NOW + 300 });
  t.deepEqual(expiryWithin({}, { maxTtlMs: 200, notAfter: NOW + 300 }, AT), { expiresAt: NOW + 200 });
});

test('a wish up to the very bound is granted, and one beyond it refused', (t) => {
  const bounds = { ...FREE, maxTtlMs: 500 };
  t.deepEqual(expiryWithin({ ttlMs: 500 }, bounds, AT), { expiresAt: NOW + 500 });
  t.deepEqual(expiryWithin({ expiresAt: NOW + 500 }, bounds, AT), { expiresAt: NOW + 500 });
  t.is(
    codeOf(() => expiryWithin({ ttlMs: 501 }, bounds, AT)),
    'not_allowed',
  );
  t.is(
    codeOf(() => expiryWithin({ expiresAt: NOW + 501 }, bounds, AT)),
    'not_allowed',
  );
  t.is(
    codeOf(() => expiryWithin({ ttlMs: 301 }, { ...FREE, notAfter: NOW + 300 }, AT)),
    'not_allowed',
  );
});

test('the longest life counts from when the grant was issued, not from when it is changed', (t) => {
  const later = { issuedAt: NOW, now: NOW + 400 };
  t.deepEqual(expiryWithin({ ttlMs: 100 }, { ...FREE, maxTtlMs: 500 }, later), { expiresAt: NOW + 500 });
  t.is(
    codeOf(() => expiryWithin({ ttlMs: 101 }, { ...FREE, maxTtlMs: 500 }, later)),
    'not_allowed',
  );
});

test('what is no life is refused', (t) => {
  for (const asked of [{ ttlMs: 0 }, { ttlMs: -1 }, { ttlMs: 0.5 }, { expiresAt: NOW }, { expiresAt: NOW - 1 }, { expiresAt: NaN }])
    t.is(
      codeOf(() => expiryWithin(asked, FREE, AT)),
      'record_invalid',
      JSON.stringify(asked),
    );
  t.is(
    codeOf(() => expiryWithin({ ttlMs: 1, expiresAt: NOW + 1 }, FREE, AT)),
    'record_invalid',
  );
});

test('only a grant without bounds may have no end', (t) => {
  t.is(codeOf(() => { checkMayBeEndless(FREE, NOW); }), 'none'); // prettier-ignore
  t.is(codeOf(() => { checkMayBeEndless({ ...FREE, maxTtlMs: 1 }, NOW); }), 'not_allowed'); // prettier-ignore
  t.is(codeOf(() => { checkMayBeEndless({ ...FREE, notAfter: NOW + 1 }, NOW); }), 'not_allowed'); // prettier-ignore
});
