import { inspect } from 'node:util';
import test from 'ava';
import { comparableSecret, readSecretFile, sameSecret } from '../../../src/config/secret-text.ts';
import { Secret } from '../../../src/secret/secret.ts';
import { configHome } from '../../support/config-home.ts';

test('secrets can be compared without being read', (t) => {
  const secret = comparableSecret('hunter2');
  t.true(sameSecret(secret, comparableSecret('hunter2')));
  t.false(sameSecret(secret, comparableSecret('hunter3')));
  t.false(sameSecret(secret, comparableSecret('hunter')));
  t.false(inspect(secret).includes('hunter'));
});

test('a secret from elsewhere is like itself only', (t) => {
  const other = new Secret('hunter2');
  t.true(sameSecret(other, other));
  t.false(sameSecret(other, new Secret('hunter2')));
  t.false(sameSecret(other, comparableSecret('hunter2')));
});

test('a secret file holds one line, its line end apart', (t) => {
  const { write } = configHome(t);
  for (const text of ['a b ', 'a b \n', 'a b \r\n']) t.deepEqual(readSecretFile(write('secret', text)), { text: 'a b ' });
  for (const text of ['', '\n', 'a\n\n', 'a\nb', 'a\0b']) {
    t.like(readSecretFile(write('secret', text)), { code: 'config_invalid', what: 'names a file that does not hold exactly one line' });
  }
});
