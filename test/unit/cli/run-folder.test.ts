/** Each run has a folder with the trust files for every client; what the caller had chosen stays trusted. */
import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createRunFolder } from '../../../src/cli/run-folder.ts';
import { createCa, type Ca } from '../../../src/pki/ca.ts';
import { openssl } from '../../support/openssl.ts';
import { makeTestAuthority } from '../../support/certificates.ts';

function scene(t: ExecutionContext): { readonly ca: Ca; readonly runDir: string; readonly folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'alter-run-folder-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return { folder, ca: createCa(join(folder, 'ca')), runDir: join(folder, 'run') };
}

function fingerprints(file: string): string[] {
  const certificates = readFileSync(file, 'utf8').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return certificates.map((pem) => new X509Certificate(pem).fingerprint256);
}

test('the bundle holds the public roots and the CA, the added file the CA alone', (t) => {
  const { ca, runDir } = scene(t);
  const { trustFiles } = createRunFolder(runDir, ca, {});
  const bundle = fingerprints(trustFiles.SSL_CERT_FILE);
  t.true(bundle.includes(ca.fingerprint256));
  t.true(bundle.length > 50);
  t.deepEqual(fingerprints(trustFiles.NODE_EXTRA_CA_CERTS), [ca.fingerprint256]);
  t.is(trustFiles.CURL_CA_BUNDLE, trustFiles.SSL_CERT_FILE);
});

test('Java gets a trust store with the CA', (t) => {
  const { ca, runDir } = scene(t);
  const { javaTrustStore } = createRunFolder(runDir, ca, {});
  const { text } = openssl('pkcs12', '-in', javaTrustStore.file, '-passin', `pass:${javaTrustStore.password}`, '-nokeys');
  t.true(text.includes(ca.certificatePem.trim().split('\n')[1] ?? 'no certificate'));
});

test('only the owner may look in, and at the end it is gone', (t) => {
  const { ca, runDir } = scene(t);
  const run = createRunFolder(runDir, ca, {});
  const [name = ''] = readdirSync(runDir);
  t.is(statSync(join(runDir, name)).mode & 0o777, 0o700);
  for (const file of readdirSync(join(runDir, name))) t.is(statSync(join(runDir, name, file)).mode & 0o777, 0o600, file);
  run.remove();
  t.deepEqual(readdirSync(runDir), []);
});

test('the certificates that the caller had chosen for a client stay trusted by it, and its roots stay its choice', (t) => {
  const { ca, runDir, folder } = scene(t);
  const own = makeTestAuthority('Corporate CA').caPem;
  const file = join(folder, 'corporate.pem');
  writeFileSync(file, own);
  const { trustFiles } = createRunFolder(runDir, ca, { REQUESTS_CA_BUNDLE: file, NODE_EXTRA_CA_CERTS: file });
  const expected = [new X509Certificate(own).fingerprint256, ca.fingerprint256];
  t.deepEqual(fingerprints(trustFiles.REQUESTS_CA_BUNDLE), expected);
  t.deepEqual(fingerprints(trustFiles.NODE_EXTRA_CA_CERTS), expected);
  t.deepEqual(fingerprints(trustFiles.DENO_CERT), [ca.fingerprint256]);
});

test("the caller's SSL_CERT_FILE counts for every client that has no file of its own", (t) => {
  const { ca, runDir, folder } = scene(t);
  const file = join(folder, 'corporate.pem');
  writeFileSync(file, makeTestAuthority('Corporate CA').caPem);
  const { trustFiles } = createRunFolder(runDir, ca, { SSL_CERT_FILE: file });
  t.is(fingerprints(trustFiles.CURL_CA_BUNDLE).length, 2);
  t.is(trustFiles.CURL_CA_BUNDLE, trustFiles.SSL_CERT_FILE);
});

for (const path of ['', '/nowhere/at/all.pem', tmpdir()]) {
  test(`a choice that cannot be read gives way to the bundle: "${path}"`, (t) => {
    const { ca, runDir } = scene(t);
    const { trustFiles } = createRunFolder(runDir, ca, { CURL_CA_BUNDLE: path });
    t.is(trustFiles.CURL_CA_BUNDLE, trustFiles.GIT_SSL_CAINFO);
  });
}

test('what killed runs have left is removed, what living ones use stays', (t) => {
  const { ca, runDir } = scene(t);
  const dead = join(runDir, `run-${String(2 ** 30)}-abc`);
  const alive = join(runDir, 'run-1-abc');
  for (const folder of [dead, alive, join(runDir, 'other')]) mkdirSync(folder, { recursive: true });
  createRunFolder(runDir, ca, {});
  t.false(existsSync(dead));
  t.true(existsSync(alive));
  t.true(existsSync(join(runDir, 'other')));
});
