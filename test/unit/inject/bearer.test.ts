import test from 'ava';
import { lines } from '../../support/headers.ts';
import { draft, injection } from '../../support/injection.ts';
import { failureOf } from '../../support/refusal.ts';

const RULES = [{ kind: 'bearer', format: '{token}' }] as const;

test('the token replaces every Authorization of the caller', async (t) => {
  const request = draft('/', 'authorization: Bearer mine', 'Accept: */*', 'AUTHORIZATION: Basic eDp5');
  await injection(RULES, { token: 'sk-1' }).apply(request);
  t.deepEqual(lines(request.headers), ['Accept: */*', 'Authorization: Bearer sk-1']);
});

for (const token of ['', 'qz b', 'qz\tb', 'qz\r\nX: 1', 'qz\n', 'qz\0b', ' qz', 'qz ', 'qzü…']) {
  test(`the token ${JSON.stringify(token)} is refused when prepared`, (t) => {
    const failure = failureOf(() => injection(RULES, { token }));
    t.is(failure.code, 'record_invalid');
    t.false(failure.message.includes('qz'));
  });
}
