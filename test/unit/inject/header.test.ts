import test from 'ava';
import { lines } from '../../support/headers.ts';
import { draft, injection } from '../../support/injection.ts';
import { failureOf } from '../../support/refusal.ts';

test('the format is written under the name as the provider spells it', async (t) => {
  const request = draft('/', 'X-Token: mine');
  await injection([{ kind: 'header', name: 'Authorization', format: 'Token token={a}; id={b}' }], { a: 'A', b: 'B' }).apply(request);
  t.deepEqual(lines(request.headers), ['X-Token: mine', 'Authorization: Token token=A; id=B']);
});

test("every spelling of the caller's own field goes, also with underscores; near misses stay", async (t) => {
  const request = draft('/', 'x-api-key: 1', 'X-API-KEY: 2', 'x_api_key: 3', 'X_Api-Key: 4', 'x-api-keys: 5', 'api-key: 6', 'x-api.key: 7');
  await injection([{ kind: 'header', name: 'X-Api-Key', format: '{key}' }], { key: 'sk' }).apply(request);
  t.deepEqual(lines(request.headers), ['x-api-keys: 5', 'api-key: 6', 'x-api.key: 7', 'X-Api-Key: sk']);
});

test('a name with underscores also replaces the spelling with dashes', async (t) => {
  const request = draft('/', 'x-api-key: 1', 'X_API_KEY: 2');
  await injection([{ kind: 'header', name: 'x_api_key', format: '{key}' }], { key: 'sk' }).apply(request);
  t.deepEqual(lines(request.headers), ['x_api_key: sk']);
});

test('a value is never read as a reference or a replacement pattern', async (t) => {
  const request = draft('/');
  await injection([{ kind: 'header', name: 'x', format: '{a}-{b}' }], { a: '{b}', b: '$&$1' }).apply(request);
  t.deepEqual(lines(request.headers), ['x: {b}-$&$1']);
});

for (const name of [
  'Host',
  'content-length',
  'Content_Length',
  'Connection',
  'Transfer-Encoding',
  'TE',
  'Upgrade',
  'Expect',
  'X-Alter-Grant',
  'x_alter_x',
  'Proxy-Authorization',
  'a b',
  'a:',
  '',
  'ä',
]) {
  test(`the name ${JSON.stringify(name)} is refused when prepared`, (t) => {
    t.is(failureOf(() => injection([{ kind: 'header', name, format: '{key}' }], { key: 'sk' })).code, 'record_invalid');
  });
}

for (const key of ['', 'a\r\nX: 1', 'a\nb', 'a\0', 'a\x7f', ' sk', 'sk\t', 'sk…']) {
  test(`the value ${JSON.stringify(key)} is refused when prepared, and not told`, (t) => {
    const failure = failureOf(() => injection([{ kind: 'header', name: 'x', format: '{key}' }], { key }));
    t.is(failure.code, 'record_invalid');
    t.true(key === '' || !failure.message.includes(key));
  });
}
