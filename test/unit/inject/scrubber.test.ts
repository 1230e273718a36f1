import test from 'ava';
import { headers, lines } from '../../support/headers.ts';
import { injection } from '../../support/injection.ts';

const KEY = 'sk-live/é?>~0123+';
const latin1 = (text: string): string => Buffer.from(text).toString('latin1');
const base64 = (text: string, encoding: BufferEncoding = 'base64'): string => Buffer.from(text).toString(encoding);

const prepared = injection([{ kind: 'basic', username: '{user}', password: '{key}' }], { user: 'somebody', key: KEY }, ['user']);

for (const [name, value] of [
  ['as it is', latin1(`you sent ${KEY}!`)],
  ['in base64', `x ${base64(KEY)}`],
  ['in base64 without padding', base64(KEY).replace(/=+$/, '')],
  ['in base64url', base64(KEY, 'base64url')],
  ['percent-encoded', `/login?key=${encodeURIComponent(KEY)}&x`],
  ['percent-encoded in lower case', encodeURIComponent(KEY).toLowerCase()],
  ['percent-encoded with slashes as they are', `/login?key=${encodeURIComponent(KEY).replaceAll('%2F', '/')}`],
  ['percent-encoded in the plus sign only', `/login?key=${latin1(KEY).replaceAll('+', '%2B')}`],
  ['percent-encoded in both cases', `/login?key=${encodeURIComponent(KEY).replace('%2F', '%2f')}`],
  ['percent-encoded twice', `/login?next=${encodeURIComponent(`/x?key=${encodeURIComponent(KEY)}`)}`],
  ['percent-encoded beside an escape that is none', `/x%?a=%zz&key=${encodeURIComponent(KEY)}%4`],
  ['in base64, percent-encoded', `/login?key=${encodeURIComponent(base64(`x${KEY}`))}`],
  ['as the injected pair', base64(`somebody:${KEY}`)],
  ['as the injected header', `Basic ${base64(`somebody:${KEY}`)}`],
  ['in base64 of a longer text, one byte on', base64(`x${KEY} and more`)],
  ['in base64 of a longer text, two bytes on', base64(`xy${KEY}`)],
  ['in base64url of a longer text', base64(`abcd${KEY}z`, 'base64url')],
] as const) {
  test(`a response header that repeats the credential ${name} is removed, the others stay`, (t) => {
    const list = headers('Content-Type: text/plain', `X-Echo: ${value}`, `Set-Cookie: a=${value}; Path=/`, 'ETag: "abc"');
    prepared.scrub(list);
    t.deepEqual(lines(list), ['Content-Type: text/plain', 'ETag: "abc"']);
  });
}

test('a response header that repeats a password with spaces as a form writes it is removed', (t) => {
  const spaced = injection([{ kind: 'basic', username: 'u', password: '{key}' }], { key: 'open sesame/é+' });
  const list = headers(`Location: /?${new URLSearchParams({ p: 'open sesame/é+' }).toString()}`, 'Location: /?p=open+sesame');
  spaced.scrub(list);
  t.deepEqual(lines(list), ['Location: /?p=open+sesame']);
});

test('a response header that has the credential for its name is removed', (t) => {
  const bearer = injection([{ kind: 'bearer', format: '{key}' }], { key: 'sk-live-0123' });
  const list = headers('X-sk-live-0123: yes', 'SK-LIVE-0123x: yes', 'sk-live: no');
  bearer.scrub(list);
  t.deepEqual(lines(list), ['SK-LIVE-0123x: yes', 'sk-live: no']);
});

test('near misses and fields that are no secret stay', (t) => {
  const kept = [
    'X-User: somebody',
    `X-Part: ${latin1(KEY.slice(1))}`,
    `X-Other: ${base64(`somebody:x${KEY.slice(2)}y`).slice(0, 12)}`,
    `X-Escaped: /?a=%20${encodeURIComponent(KEY.slice(1))}`,
    'X-Empty: ',
  ];
  const list = headers(...kept);
  prepared.scrub(list);
  t.deepEqual(lines(list), kept);
});

test('a short credential counts only as the whole value, or as the whole injected header', (t) => {
  const short = injection([{ kind: 'bearer', format: '{key}' }], { key: 'abc' });
  const list = headers('A: abc', 'B: abcd', 'C: see abc', 'D: Bearer abc', 'E: YWJj', 'F: %61bc', 'G: %2561%62c');
  short.scrub(list);
  t.deepEqual(lines(list), ['B: abcd', 'C: see abc']);
});

test('constants of the provider are no credential', (t) => {
  const constant = injection(
    [
      { kind: 'header', name: 'X-App', format: 'developer_api' },
      { kind: 'header', name: 'X-Key', format: '{key}' },
    ],
    { key: 'sk-0123456' },
  );
  const list = headers('X-App: developer_api', 'X-Key: sk-0123456');
  constant.scrub(list);
  t.deepEqual(lines(list), ['X-App: developer_api']);
});
