import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { CommandError } from '../../../src/errors.ts';
import { createCa, type Ca } from '../../../src/pki/ca.ts';
import { exportTrust } from '../../../src/pki/export.ts';
import { publicRoots, rootFiles } from '../../../src/pki/public-roots.ts';
import { makeTestAuthority } from '../../support/certificates.ts';
import { openssl, opensslFolder } from '../../support/openssl.ts';

const TRUSTED_KEY_USAGE = '2.16.840.1.113894.746875.1.1';
const PEM_BLOCK = /-----BEGIN CERTIFICATE-----\n(?:[A-Za-z0-9+/=]{1,64}\n)+-----END CERTIFICATE-----\n/g;

function fixture(t: ExecutionContext): { ca: Ca; write: (name: string, content: string | Buffer) => string } {
  const folder = opensslFolder(t);
  return { ca: createCa(join(folder.path, 'ca')), write: folder.write };
}

const fingerprints = (pems: readonly string[]): string[] => pems.map((pem) => new X509Certificate(pem).fingerprint256);

test('pem and der are the certificate and nothing else', (t) => {
  const { ca, write } = fixture(t);
  t.is(exportTrust(ca, 'pem').toString(), ca.certificatePem);
  const der = write('ca.der', exportTrust(ca, 'der'));
  t.is(openssl('x509', '-inform', 'DER', '-in', der).text, ca.certificatePem);
});

test('bundle holds the public roots and the CA, each once', (t) => {
  const { ca, write } = fixture(t);
  const authority = makeTestAuthority();
  const extra = write('extra.pem', `# a comment\r\n${authority.caPem.replaceAll('\n', '\r\n')}${rootCertificates[0] ?? ''}`);
  const text = exportTrust(ca, 'bundle', { rootFiles: [extra] }).toString();
  const blocks = text.match(PEM_BLOCK) ?? [];
  t.is(blocks.join(''), text);
  const found = fingerprints(blocks);
  t.is(new Set(found).size, found.length);
  t.is(found.length, rootCertificates.length + 2);
  t.true(found.includes(new X509Certificate(authority.caPem).fingerprint256));
  t.is(found.at(-1), ca.fingerprint256);
});

test('a client with the bundle trusts leafs of the CA and of the public roots, and nobody else', (t) => {
  const { ca, write } = fixture(t);
  const [internet, stranger] = [makeTestAuthority('Internet'), makeTestAuthority('Stranger')];
  const bundle = write('bundle.pem', exportTrust(ca, 'bundle', { rootFiles: [write('internet.pem', internet.caPem)] }));
  const verify = (pem: string) => openssl('verify', '-x509_strict', '-CAfile', bundle, write('leaf.pem', pem)).ok;
  t.true(verify(ca.mintLeaf('example.com', 60_000).certificatePem));
  t.true(verify(internet.issue(['example.com']).cert));
  t.false(verify(stranger.issue(['example.com']).cert));
});

test('a file of roots that cannot be read stops the export', (t) => {
  const { ca } = fixture(t);
  const error = t.throws(() => exportTrust(ca, 'bundle', { rootFiles: ['/nowhere/ca.pem'] }), { instanceOf: CommandError });
  t.is(error.code, 'file_unreadable');
  t.regex(error.message, /\/nowhere\/ca\.pem/);
});

test('NODE_EXTRA_CA_CERTS is among the files of roots when it is set', (t) => {
  const without = rootFiles({});
  t.deepEqual(rootFiles({ NODE_EXTRA_CA_CERTS: '' }), without);
  t.deepEqual(rootFiles({ NODE_EXTRA_CA_CERTS: '/etc/corporate.pem' }), [...without, '/etc/corporate.pem']);
});

test('without files the public roots are those that Node ships', (t) => {
  t.deepEqual(fingerprints(publicRoots([])).sort(), fingerprints(rootCertificates).sort());
});

interface Entry {
  readonly alias: string | undefined;
  /** Whether the entry has the attribute by which Java knows a trusted certificate. */
  readonly trusted: boolean;
  readonly fingerprint: string;
}

function entriesOf(store: string, password: string): Entry[] {
  const { text } = openssl('pkcs12', '-in', store, '-passin', `pass:${password}`, '-nokeys');
  return text
    .split('Bag Attributes')
    .slice(1)
    .map((bag) => ({
      alias: /friendlyName: (.+)/.exec(bag)?.[1],
      trusted: bag.includes(`${TRUSTED_KEY_USAGE}:`),
      fingerprint: new X509Certificate(bag.match(PEM_BLOCK)?.[0] ?? '').fingerprint256,
    }));
}

test('p12 holds the CA alone, as an entry that Java trusts', (t) => {
  const { ca, write } = fixture(t);
  const store = write('trust.p12', exportTrust(ca, 'p12'));
  t.deepEqual(entriesOf(store, 'changeit'), [{ alias: 'alter-proxy', trusted: true, fingerprint: ca.fingerprint256 }]);
  t.notRegex(openssl('pkcs12', '-in', store, '-passin', 'pass:changeit', '-nodes').text, /PRIVATE KEY/);
});

test('p12 is sealed with HMAC-SHA256 under the password', (t) => {
  const { ca, write } = fixture(t);
  const store = write('trust.p12', exportTrust(ca, 'p12', { password: 'Straße 7' }));
  t.regex(openssl('pkcs12', '-in', store, '-passin', 'pass:Straße 7', '-info', '-noout').text, /MAC: sha256/);
  t.false(openssl('pkcs12', '-in', store, '-passin', 'pass:changeit', '-noout').ok);
  const changed = exportTrust(ca, 'p12');
  changed.writeUInt8(changed.readUInt8(400) ^ 1, 400);
  t.regex(openssl('pkcs12', '-in', write('changed.p12', changed), '-passin', 'pass:changeit', '-noout').text, /Mac verify error/i);
});

test('p12 with the public roots holds them and the CA, each once and under a name of its own', (t) => {
  const { ca, write } = fixture(t);
  const extra = makeTestAuthority();
  const rootFile = write('extra.pem', extra.caPem);
  const entries = entriesOf(write('trust.p12', exportTrust(ca, 'p12', { includeRoots: true, rootFiles: [rootFile] })), 'changeit');
  t.is(entries.length, rootCertificates.length + 2);
  t.true(entries.every(({ trusted }) => trusted));
  t.is(new Set(entries.map(({ alias }) => alias)).size, entries.length);
  const wanted = [...fingerprints([...rootCertificates, extra.caPem]), ca.fingerprint256];
  t.deepEqual(entries.map(({ fingerprint }) => fingerprint).sort(), wanted.sort());
});
