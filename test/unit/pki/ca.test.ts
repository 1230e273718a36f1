import { spawn } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { AlterError, CommandError, type CommandCode } from '../../../src/errors.ts';
import { createCa, loadCa, type Ca } from '../../../src/pki/ca.ts';
import { openssl, opensslFolder } from '../../support/openssl.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const moduleUrl = new URL('../../../src/pki/ca.js', import.meta.url).href;

interface Fixture {
  readonly ca: Ca;
  /** Folder of the CA. */
  readonly dir: string;
  readonly caFile: string;
  readonly keyFile: string;
  write(name: string, content: string): string;
}

function fixture(t: ExecutionContext, now?: () => number): Fixture {
  const folder = opensslFolder(t);
  const dir = join(folder.path, 'home', 'ca');
  const ca = createCa(dir, now === undefined ? {} : { now });
  return { ca, dir, caFile: join(dir, 'ca.pem'), keyFile: join(dir, 'ca.key'), write: folder.write };
}

function refuses(t: ExecutionContext, code: CommandCode, message: RegExp, action: () => unknown): void {
  const error = t.throws(action, { instanceOf: CommandError });
  t.is(error.code, code);
  t.regex(error.message, message);
  t.notRegex(error.message, /\n/);
}

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

test('createCa makes a closed folder with two closed files and nothing beside it', (t) => {
  const { dir, caFile, keyFile } = fixture(t);
  t.deepEqual(readdirSync(dir).sort(), ['ca.key', 'ca.pem']);
  t.deepEqual(readdirSync(join(dir, '..')), ['ca']);
  t.is(modeOf(dir), '700');
  t.is(modeOf(keyFile), '600');
  t.is(modeOf(caFile), '600');
  t.regex(readFileSync(keyFile, 'utf8'), /^-----BEGIN PRIVATE KEY-----\n/);
});

test('createCa makes closed files under any umask', async (t) => {
  const folder = opensslFolder(t);
  const script = `process.umask(0); const { createCa } = await import(${JSON.stringify(moduleUrl)}); createCa(process.argv[1]);`;
  t.is((await runNode(script, join(folder.path, 'ca'))).code, 0);
  t.is(modeOf(join(folder.path, 'ca')), '700');
  t.is(modeOf(join(folder.path, 'ca', 'ca.key')), '600');
});

test('createCa fills an empty folder and closes it', (t) => {
  const dir = join(opensslFolder(t).path, 'ca');
  mkdirSync(dir, { mode: 0o755 });
  createCa(dir);
  t.is(modeOf(dir), '700');
});

test('createCa never overwrites', (t) => {
  const { dir, caFile, keyFile } = fixture(t);
  const before = [readFileSync(keyFile, 'utf8'), readFileSync(caFile, 'utf8')];
  refuses(t, 'home_exists', /is not empty/, () => createCa(dir));
  t.deepEqual([readFileSync(keyFile, 'utf8'), readFileSync(caFile, 'utf8')], before);
  t.deepEqual(readdirSync(join(dir, '..')), ['ca']);
});

for (const left of ['ca.key', 'ca.pem', 'other.txt']) {
  test(`createCa refuses a folder that holds ${left}, and leaves nothing`, (t) => {
    const folder = opensslFolder(t);
    const dir = join(folder.path, 'ca');
    mkdirSync(dir);
    writeFileSync(join(dir, left), 'precious');
    refuses(t, 'home_exists', /is not empty/, () => createCa(dir));
    t.deepEqual(readdirSync(dir), [left]);
    t.is(readFileSync(join(dir, left), 'utf8'), 'precious');
    t.deepEqual(readdirSync(folder.path), ['ca']);
  });
}

test('createCa refuses a file in the place of its folder', (t) => {
  const file = opensslFolder(t).write('ca', 'precious');
  refuses(t, 'home_exists', /is not empty/, () => createCa(file));
  t.is(readFileSync(file, 'utf8'), 'precious');
});

test('createCa says where it cannot write', (t) => {
  const file = opensslFolder(t).write('file', '');
  refuses(t, 'file_unwritable', /cannot create the CA in .*\/file\/home\/ca: ENOTDIR$/, () => createCa(join(file, 'home', 'ca')));
});

test('of several processes that create one CA at once, one succeeds and the others are refused', async (t) => {
  const dir = join(opensslFolder(t).path, 'ca');
  const script = `
    const { createCa } = await import(${JSON.stringify(moduleUrl)});
    try { console.log(createCa(process.argv[1]).fingerprint256); } catch (error) { console.log(error.code); }`;
  const results = await Promise.all(Array.from({ length: 3 }, () => runNode(script, dir)));
  const winners = results.filter(({ output }) => output !== 'home_exists');
  t.is(winners.length, 1);
  t.is(loadCa(dir).fingerprint256, winners[0]?.output ?? '');
});

test('loadCa gives the CA that createCa made', (t) => {
  const { ca, dir, caFile } = fixture(t);
  const loaded = loadCa(dir);
  t.is(loaded.certificatePem, readFileSync(caFile, 'utf8'));
  t.is(loaded.fingerprint256, ca.fingerprint256);
  t.is(loaded.fingerprint256, new X509Certificate(loaded.certificatePem).fingerprint256);
  t.regex(loaded.subject, /^O=alter-proxy, CN=alter-proxy CA [0-9a-f]{8}$/);
});

test('a CA is valid from a day ago for ten years, or as stated', (t) => {
  const { ca } = fixture(t);
  t.true(Math.abs(ca.notBefore.getTime() - (Date.now() - DAY_MS)) < 60_000);
  t.true(Math.abs((ca.notAfter.getTime() - ca.notBefore.getTime()) / DAY_MS - 3652.5) < 0.001);
  const short = createCa(join(opensslFolder(t).path, 'ca'), { validYears: 1 });
  t.true(Math.abs((short.notAfter.getTime() - short.notBefore.getTime()) / DAY_MS - 365.25) < 0.001);
});

test('the private key of a CA cannot be printed', (t) => {
  const { ca, keyFile } = fixture(t);
  const { d = '' } = createPrivateKey(readFileSync(keyFile, 'utf8')).export({ format: 'jwk' });
  const body = readFileSync(keyFile, 'utf8').split('\n')[1] ?? '';
  const printed = [inspect(ca, { depth: Infinity, showHidden: true }), JSON.stringify(ca), JSON.stringify(Object.entries(ca))].join('\n');
  t.false(printed.includes(body) || printed.includes(d) || /PRIVATE/i.test(printed));
  t.true(printed.includes('BEGIN CERTIFICATE'));
});

for (const [path, mode] of [
  ['ca.key', 0o640],
  ['ca.key', 0o604],
  ['ca.key', 0o620],
  ['.', 0o750],
  ['.', 0o701],
] as const) {
  test(`loadCa refuses mode ${mode.toString(8)} of ${path}`, (t) => {
    const { dir } = fixture(t);
    chmodSync(join(dir, path), mode);
    refuses(t, 'key_file_exposed', new RegExp(`is open to group or others \\(mode 0${mode.toString(8)}\\)`), () => loadCa(dir));
  });
}

test('loadCa takes a read-only key and a certificate that others may read', (t) => {
  const { ca, dir, keyFile, caFile } = fixture(t);
  chmodSync(keyFile, 0o400);
  chmodSync(caFile, 0o644);
  chmodSync(dir, 0o500);
  t.is(loadCa(dir).fingerprint256, ca.fingerprint256);
  chmodSync(dir, 0o700);
});

test('loadCa asks for the mode of the file itself, not of a link to it', (t) => {
  const { dir, keyFile, write } = fixture(t);
  const elsewhere = write('elsewhere.key', readFileSync(keyFile, 'utf8'));
  rmSync(keyFile);
  symlinkSync(elsewhere, keyFile);
  t.notThrows(() => loadCa(dir));
  chmodSync(elsewhere, 0o644);
  refuses(t, 'key_file_exposed', /ca\.key is open to group or others \(mode 0644\)/, () => loadCa(dir));
});

const NO_KEY_ID_CONFIG = `
[req]
distinguished_name = dn
x509_extensions = ext
[dn]
[ext]
subjectKeyIdentifier = none
authorityKeyIdentifier = none
basicConstraints = critical,CA:TRUE
`;

const damages: [name: string, message: RegExp, damage: (files: Fixture, other: Fixture) => void][] = [
  ['without its folder', /home\/ca does not exist$/, ({ dir }) => rmSync(dir, { recursive: true })],
  ['without its key', /ca\.key does not exist$/, ({ keyFile }) => rmSync(keyFile)],
  ['without its certificate', /ca\.pem does not exist$/, ({ caFile }) => rmSync(caFile)],
  ['with an empty key', /ca\.key is not an unencrypted private key/, ({ keyFile }) => writeFileSync(keyFile, '')],
  ['with an empty certificate', /ca\.pem is not a certificate/, ({ caFile }) => writeFileSync(caFile, '')],
  [
    'with half a certificate',
    /ca\.pem is not a certificate/,
    ({ caFile }) => writeFileSync(caFile, readFileSync(caFile, 'utf8').slice(0, 300)),
  ],
  [
    'with half a key',
    /ca\.key is not an unencrypted private key/,
    ({ keyFile }) => writeFileSync(keyFile, readFileSync(keyFile, 'utf8').slice(0, 100)),
  ],
  [
    'with an encrypted key',
    /ca\.key is not an unencrypted private key/,
    ({ keyFile }) => void openssl('pkcs8', '-topk8', '-in', keyFile, '-out', keyFile, '-passout', 'pass:secret'),
  ],
  [
    'with the key of another CA',
    /do not belong together$/,
    ({ keyFile }, other) => writeFileSync(keyFile, readFileSync(other.keyFile, 'utf8')),
  ],
  [
    'with the certificate of another CA',
    /do not belong together$/,
    ({ caFile }, other) => writeFileSync(caFile, readFileSync(other.caFile, 'utf8')),
  ],
  [
    'with a leaf in the place of the CA',
    /ca\.pem is not the certificate of a CA$/,
    ({ ca, caFile }) => writeFileSync(caFile, ca.mintLeaf('example.com', HOUR_MS).certificatePem),
  ],
  [
    'with an RSA key',
    /ca\.key is not an EC P-256 key$/,
    ({ keyFile }) => void openssl('genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048', '-out', keyFile),
  ],
  [
    'without a subject key identifier',
    /ca\.pem has no subject key identifier$/,
    ({ keyFile, caFile, write }) => {
      const config = write('no-ski.cnf', NO_KEY_ID_CONFIG);
      openssl('req', '-x509', '-new', '-config', config, '-key', keyFile, '-out', caFile, '-days', '10', '-subj', '/CN=No SKI');
    },
  ],
  [
    'with a folder in the place of the key',
    /ca\.key cannot be read: EISDIR$/,
    ({ keyFile }) => {
      rmSync(keyFile);
      mkdirSync(keyFile, 0o700);
    },
  ],
];

for (const [name, message, damage] of damages) {
  test(`loadCa refuses a CA ${name}, and changes nothing`, (t) => {
    const files = fixture(t);
    damage(files, fixture(t));
    refuses(t, 'ca_unreadable', message, () => loadCa(files.dir));
  });
}

test('loadCa refuses a CA outside its validity', (t) => {
  const { ca, dir } = fixture(t);
  const at = (ms: number) => () => loadCa(dir, { now: () => ms });
  t.notThrows(at(ca.notAfter.getTime()));
  t.notThrows(at(ca.notBefore.getTime()));
  refuses(t, 'ca_unreadable', /expired on \d{4}-/, at(ca.notAfter.getTime() + 1));
  refuses(t, 'ca_unreadable', /not valid before \d{4}-/, at(ca.notBefore.getTime() - 1));
  for (const ms of [ca.notAfter.getTime() + 1, ca.notBefore.getTime() - 1])
    t.regex(t.throws(at(ms), { instanceOf: CommandError }).hint, /clock of this machine/);
});

test('loadCa takes a CA that openssl made, and its leafs carry that name and key identifier', (t) => {
  const { dir, keyFile, caFile, write } = fixture(t);
  const subject = '/C=DE/O=Ünïcode Ltd/CN=Corporate';
  const usage = 'keyUsage=critical,keyCertSign';
  openssl('req', '-x509', '-new', '-key', keyFile, '-out', caFile, '-days', '30', '-utf8', '-subj', subject, '-addext', usage);
  const leaf = write('leaf.pem', loadCa(dir).mintLeaf('example.com', HOUR_MS).certificatePem);
  t.is(openssl('verify', '-x509_strict', '-CAfile', caFile, leaf).text.trim(), `${leaf}: OK`);
});

const leafHosts: [host: string, name: string, check: string][] = [
  ['api.example.com', 'DNS:api.example.com', '-verify_hostname'],
  ['localhost', 'DNS:localhost', '-verify_hostname'],
  ['192.0.2.7', 'IP Address:192.0.2.7', '-verify_ip'],
  ['2001:db8::7', 'IP Address:2001:DB8:0:0:0:0:0:7', '-verify_ip'],
];

for (const [host, name, check] of leafHosts) {
  test(`the leaf for ${host} passes openssl's strict checks for this host and no other`, (t) => {
    const { ca, caFile, write } = fixture(t);
    const leaf = write('leaf.pem', ca.mintLeaf(host, HOUR_MS).certificatePem);
    const verify = (wanted: string) => openssl('verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', caFile, check, wanted, leaf);
    t.is(verify(host).text.trim(), `${leaf}: OK`);
    t.false(verify(check === '-verify_ip' ? '192.0.2.8' : `evil${host}`).ok);
    const { text } = openssl('x509', '-in', leaf, '-noout', '-text');
    t.regex(text, new RegExp(`Subject: CN = ${host}\\s`));
    t.regex(text, new RegExp(`Subject Alternative Name: \\s+${name}\\s`));
    t.regex(text, /Basic Constraints: critical\s+CA:FALSE\s/);
    t.regex(text, /Key Usage: critical\s+Digital Signature\s/);
    t.regex(text, /Extended Key Usage: \s+TLS Web Server Authentication\s/);
  });
}

test('a host of 64 characters is in the subject; a longer one only in the alternative names, which then are critical', (t) => {
  const { ca, caFile, write } = fixture(t);
  const fitting = `${'a'.repeat(52)}.example.com`;
  const longer = `a.${fitting}`;
  const describe = (host: string) => {
    const leaf = write('leaf.pem', ca.mintLeaf(host, HOUR_MS).certificatePem);
    t.true(openssl('verify', '-x509_strict', '-CAfile', caFile, '-verify_hostname', host, leaf).ok);
    return openssl('x509', '-in', leaf, '-noout', '-text').text;
  };
  t.is(fitting.length, 64);
  t.true(describe(fitting).includes(`Subject: CN = ${fitting}\n`));
  t.regex(describe(fitting), /Subject Alternative Name: \n/);
  t.regex(describe(longer), /Subject: ?\n/);
  t.regex(describe(longer), /Subject Alternative Name: critical\n/);
});

test('a leaf is linked to its CA by key identifiers', (t) => {
  const { ca, caFile, write } = fixture(t);
  const leaf = write('leaf.pem', ca.mintLeaf('example.com', HOUR_MS).certificatePem);
  const id = (file: string, which: string) =>
    new RegExp(`${which} Key Identifier: \\s+([0-9A-F:]{59})\\s`).exec(openssl('x509', '-in', file, '-noout', '-text').text)?.[1];
  t.truthy(id(caFile, 'Subject'));
  t.is(id(leaf, 'Authority'), id(caFile, 'Subject'));
  t.not(id(leaf, 'Subject'), id(caFile, 'Subject'));
});

test('a leaf is valid from an hour ago for its time to live', (t) => {
  const now = Date.now();
  const { ca } = fixture(t, () => now);
  const leaf = ca.mintLeaf('example.com', 2 * DAY_MS);
  const certificate = new X509Certificate(leaf.certificatePem);
  t.is(Date.parse(certificate.validTo), leaf.notAfter);
  t.is(leaf.notAfter, Math.floor((now + 2 * DAY_MS) / 1000) * 1000);
  t.is(Date.parse(certificate.validFrom), Math.floor((now - HOUR_MS) / 1000) * 1000);
});

test('a leaf never lives longer than 7 days, whatever is asked', (t) => {
  const { ca } = fixture(t);
  const { certificatePem } = ca.mintLeaf('example.com', 365 * DAY_MS);
  const { validFrom, validTo } = new X509Certificate(certificatePem);
  const life = Date.parse(validTo) - Date.parse(validFrom);
  t.true(life <= 7 * DAY_MS && life > 7 * DAY_MS - 2000);
});

test('a leaf never leaves the validity of its CA', (t) => {
  let now = Date.now();
  const { ca } = fixture(t, () => now);
  now = ca.notBefore.getTime() + 1000;
  const early = new X509Certificate(ca.mintLeaf('example.com', HOUR_MS).certificatePem);
  t.is(Date.parse(early.validFrom), ca.notBefore.getTime());
  now = ca.notAfter.getTime() - HOUR_MS;
  const late = ca.mintLeaf('example.com', DAY_MS);
  t.is(late.notAfter, ca.notAfter.getTime());
  now = ca.notAfter.getTime() + 1;
  const error = t.throws(() => ca.mintLeaf('example.com', HOUR_MS), { instanceOf: AlterError });
  t.is(error.code, 'internal_error');
});

test('what is no host gets no leaf', (t) => {
  const { ca } = fixture(t);
  for (const host of ['', '*.example.com', 'example.com.', '[::1]', 'a b', 'example.com:443']) {
    const error = t.throws(() => ca.mintLeaf(host, HOUR_MS), { instanceOf: AlterError });
    t.is(error.code, 'malformed_request');
  }
});

test('neither a leaf nor a CA below this one can sign: path length 0', (t) => {
  const { ca, caFile, keyFile, write } = fixture(t);
  const leaf = ca.mintLeaf('example.com', HOUR_MS);
  const leafFile = write('leaf.pem', leaf.certificatePem);
  const leafKey = write('leaf.key', leaf.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  const asCa = write('ca.ext', 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash');
  const asServer = write('server.ext', 'subjectAltName=DNS:victim.example\nauthorityKeyIdentifier=keyid');
  const issue = (name: string, issuer: string, issuerKey: string, extensions: string): [certificate: string, key: string] => {
    const [key, request, certificate] = [write(`${name}.key`, ''), write(`${name}.csr`, ''), write(`${name}.pem`, '')];
    openssl(
      'req',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      key,
      '-out',
      request,
      '-subj',
      `/CN=${name}`,
    );
    openssl('x509', '-req', '-in', request, '-CA', issuer, '-CAkey', issuerKey, '-extfile', extensions, '-out', certificate, '-days', '1');
    return [certificate, key];
  };
  const [subCa, subKey] = issue('sub', caFile, keyFile, asCa);
  const [below] = issue('below', subCa, subKey, asServer);
  const [byLeaf] = issue('by-leaf', leafFile, leafKey, asServer);
  const [direct] = issue('direct', caFile, keyFile, asServer);
  const verify = (file: string, untrusted: string) => openssl('verify', '-CAfile', caFile, '-untrusted', untrusted, file);
  t.true(verify(direct, subCa).ok);
  t.regex(verify(below, subCa).text, /path length constraint exceeded/);
  t.regex(verify(byLeaf, leafFile).text, /invalid CA certificate/);
});

async function runNode(script: string, argument: string): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, argument], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output: output.trim() };
}
