import { X509Certificate } from 'node:crypto';
import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { initialised, inProcessHome } from '../../../support/cli.ts';
import { openssl } from '../../../support/openssl.ts';

test('the CA is shown and exported in every format', async (t) => {
  const { folder, home, run, json } = await initialised(inProcessHome(t));
  const pem = readFileSync(join(home, 'ca', 'ca.pem'), 'utf8');
  const { fingerprint256 } = new X509Certificate(pem);
  t.like(await json(['ca', 'show']), { fingerprint256, file: join(home, 'ca', 'ca.pem') });
  t.is(new X509Certificate((await run(['ca', 'export'])).stdout).fingerprint256, fingerprint256);

  const der = join(folder, 'ca.der');
  t.is((await run(['ca', 'export', '--format', 'der', '--out', der])).code, 0);
  t.is(new X509Certificate(readFileSync(der)).fingerprint256, fingerprint256);
  const taken = await run(['ca', 'export', '--format', 'pem', '--out', der]);
  t.is(taken.code, 3);
  t.is(new X509Certificate(readFileSync(der)).fingerprint256, fingerprint256);
  t.is((await run(['ca', 'export', '--out', der, '--force'])).code, 0);
  t.true(readFileSync(der, 'utf8').startsWith('-----BEGIN'));
});

test('a Java trust store takes its password from a file', async (t) => {
  const { folder, run, write } = await initialised(inProcessHome(t));
  const store = join(folder, 'trust.p12');
  const password = write('password', 'correct horse\n');
  t.is((await run(['ca', 'export', '--format', 'p12', '--out', store, '--password-file', password])).code, 0);
  t.true(openssl('pkcs12', '-in', store, '-passin', 'pass:correct horse', '-nokeys').ok);
  t.false(openssl('pkcs12', '-in', store, '-passin', 'pass:changeit', '-nokeys').ok);
  t.is((await run(['ca', 'export', '--password-file', password])).code, 2);
});

test('a CA that is lost or no longer wanted is followed by a new one; its files stay beside it', async (t) => {
  const { home, run, json } = await initialised(inProcessHome(t));
  const dir = join(home, 'ca');
  const fingerprint = async () => ((await json(['ca', 'show'])) as { readonly fingerprint256: string }).fingerprint256;
  const first = await fingerprint();
  const before = readFileSync(join(dir, 'ca.key'));
  t.is((await run(['ca', 'renew'])).code, 3, 'not without a confirmation');
  t.is(await fingerprint(), first);
  const renewed = await run(['ca', 'renew', '--yes']);
  t.is(renewed.code, 0, renewed.stderr);
  t.not(await fingerprint(), first);
  t.deepEqual(readFileSync(join(`${dir}.old`, 'ca.key')), before);
  t.is(statSync(dir).mode & 0o777, 0o700);

  const second = await fingerprint();
  const again = await run(['ca', 'renew', '--yes']);
  t.is(again.code, 3);
  t.regex(again.stderr, /ca\.old exists/);
  t.is(await fingerprint(), second);

  rmSync(dir, { recursive: true });
  const lost = await run(['ca', 'show']);
  t.is(lost.code, 1);
  t.regex(lost.stderr, /hint: .*`alter-proxy ca renew`/);
  t.is((await run(['ca', 'renew', '--yes'])).code, 0);
  t.not(await fingerprint(), second);
});
