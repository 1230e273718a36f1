import test from 'ava';
import { formatTarget } from '../../../src/message/url.ts';
import { draft, injection } from '../../support/injection.ts';
import { failureOf } from '../../support/refusal.ts';

const RULES = [{ kind: 'query', name: 'key', format: '{key}' }] as const;

for (const [before, after] of [
  ['/p', '/p?key=sk'],
  ['/p?', '/p?key=sk'],
  ['/p?a=1', '/p?a=1&key=sk'],
  ['/p?key=mine&a=1&key=again', '/p?a=1&key=sk'],
  ['/p?%6bey=mine&k%65y&key', '/p?key=sk'],
  ['/p?Key=1&keys=2&xkey=3&key%20=4&a=key', '/p?Key=1&keys=2&xkey=3&key%20=4&a=key&key=sk'],
  ['/p?a=1;key=mine&key=x;%6bey=y;b=2&;c=3', '/p?a=1&b=2&;c=3&key=sk'],
  ['/p?b=%zz&&c=%2f+x&=', '/p?b=%zz&&c=%2f+x&=&key=sk'],
] as const) {
  test(`${before} becomes ${after}`, async (t) => {
    const request = draft(before);
    await injection(RULES, { key: 'sk' }).apply(request);
    t.is(formatTarget(request.url), after);
  });
}

test('everything but unreserved characters is percent-encoded', async (t) => {
  const request = draft('/p');
  await injection([{ kind: 'query', name: 'a b[]', format: '{key}' }], { key: "a&b=c#d+e%f ü!'()*-._~" }).apply(request);
  t.is(formatTarget(request.url), '/p?a%20b%5B%5D=a%26b%3Dc%23d%2Be%25f%20%C3%BC%21%27%28%29%2A-._~');
});

test('an empty name or value, and control characters, are refused when prepared', (t) => {
  t.is(failureOf(() => injection(RULES, { key: '' })).code, 'record_invalid');
  t.is(failureOf(() => injection(RULES, { key: 'a\r\n' })).code, 'record_invalid');
  t.is(failureOf(() => injection(RULES, { key: '\ud800' })).code, 'record_invalid');
  t.is(failureOf(() => injection([{ kind: 'query', name: '', format: '{key}' }], { key: 'a' })).code, 'record_invalid');
});
