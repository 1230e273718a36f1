import test from 'ava';
import { FailedAttempts } from '../../../src/principals/failed-attempts.ts';
import type { FailedAttemptsOptions } from '../../../src/principals/failed-attempts.ts';

interface Counter {
  now: number;
  /** The delay of one more failure of `address`, in milliseconds. */
  fail(address: string): number;
}

function counter(options: FailedAttemptsOptions = {}): Counter {
  let waited = 0;
  const wait = (ms: number): Promise<void> => {
    waited = ms;
    return Promise.resolve();
  };
  const attempts = new FailedAttempts({ wait, now: () => made.now, ...options });
  const made: Counter = { now: 0, fail: (address) => (attempts.failed(address) === undefined ? 0 : waited) };
  return made;
}

test('the first failures are free, then delays double up to the longest', (t) => {
  const c = counter();
  const delays = Array.from({ length: 14 }, () => c.fail('192.0.2.1'));
  t.deepEqual(delays, [0, 0, 0, 0, 0, 50, 100, 200, 400, 800, 1600, 2000, 2000, 2000]);
});

test('addresses are counted apart, the addresses of one IPv6 /64 together', (t) => {
  const c = counter({ free: 1 });
  t.is(c.fail('192.0.2.1'), 0);
  t.is(c.fail('192.0.2.2'), 0);
  t.is(c.fail('2001:db8:0:1::1'), 0);
  t.is(c.fail('2001:db8:0:1:ffff:ffff:ffff:ffff'), 50);
  t.is(c.fail('2001:db8:0:2::1'), 0);
  t.is(c.fail('2001:db8::1'), 0);
  t.is(c.fail('::1'), 0);
});

test('an address that was quiet for long enough begins anew', (t) => {
  const c = counter({ free: 1, forgetAfterMs: 1000 });
  c.fail('192.0.2.1');
  c.now = 1000;
  t.is(c.fail('192.0.2.1'), 50);
  c.now = 2001;
  t.is(c.fail('192.0.2.1'), 0);
});

test('the memory is bounded: the address that failed longest ago is forgotten', (t) => {
  const c = counter({ free: 1, maxAddresses: 2 });
  for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) t.is(c.fail(address), 0);
  t.is(c.fail('192.0.2.1'), 0);
  t.is(c.fail('192.0.2.3'), 50);
});
