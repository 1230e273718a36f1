import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import test from 'ava';
import { Secret } from '../../../src/secret/secret.ts';
import { reveal } from '../../../src/secret/reveal.ts';
import { fingerprint, mintKey } from '../../../src/vault/fingerprint.ts';

const KEY = `alter_key_app_${'aB3_-'.repeat(8)}xyz`;

test('the fingerprint of a key is its SHA-256', (t) => {
  t.is(fingerprint(new Secret(KEY)), createHash('sha256').update(KEY).digest('hex'));
});

test('an agent key is a key of its own: the same random part gives another fingerprint', (t) => {
  const agentKey = KEY.replace('_app_', '_agent_');
  t.is(fingerprint(new Secret(agentKey)), createHash('sha256').update(agentKey).digest('hex'));
  t.not(fingerprint(new Secret(agentKey)), fingerprint(new Secret(KEY)));
  t.regex(reveal(mintKey('agent').key), /^alter_key_agent_[A-Za-z0-9_-]{43}$/);
  t.regex(mintKey('agent').shown, /^alter_key_agent_[A-Za-z0-9_-]{6}$/);
});

test('what does not have the form of a key has no fingerprint', (t) => {
  for (const text of [
    '',
    'x',
    KEY.slice(0, -1),
    `${KEY}x`,
    ` ${KEY}`,
    `${KEY}\n`,
    KEY.replace('_app_', '_user_'),
    KEY.replace('_app_', '_Agent_'),
    KEY.replace('_app_', '_app_agent_'),
    KEY.replace('B', '+'),
    KEY.toUpperCase(),
  ]) {
    t.is(fingerprint(new Secret(text)), undefined, text);
  }
});

test('a new key is 256 random bits, of which its display shows six characters', (t) => {
  const { key, shown } = mintKey('app');
  const text = reveal(key);
  t.regex(text, /^alter_key_app_[A-Za-z0-9_-]{43}$/);
  t.is(shown, text.slice(0, 20));
  t.not(reveal(mintKey('app').key), text);
  t.false(inspect({ key }, { showHidden: true, depth: 5 }).includes(text.slice(20)));
});
