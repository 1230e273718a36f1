import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { createCa } from '../../src/pki/ca.ts';

const HOUR_MS = 3_600_000;

const home = mkdtempSync(join(tmpdir(), 'alter-leaf-names-'));
const ca = createCa(join(home, 'ca'));
test.after.always(() => {
  rmSync(home, { recursive: true, force: true });
});

const leafFor = (host: string): X509Certificate => new X509Certificate(ca.mintLeaf(host, HOUR_MS).certificatePem);

test('OpenSSL finds every IPv4 and IPv6 address in its leaf, however it is spelled', (t) => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
      t.is(leafFor(address).checkIP(address), address);
    }),
    { numRuns: 60 },
  );
});

test('two addresses have the same leaf name only when they are the same address', (t) => {
  fc.assert(
    fc.property(fc.ipV6(), fc.ipV6(), (one, other) => {
      const same = new URL(`http://[${one}]/`).hostname === new URL(`http://[${other}]/`).hostname;
      t.is(leafFor(one).checkIP(other) !== undefined, same);
    }),
    { numRuns: 60 },
  );
});

test('OpenSSL finds every DNS name in its leaf, and no name below or above it', (t) => {
  fc.assert(
    fc.property(fc.domain(), (domain) => {
      const host = domain.toLowerCase();
      const leaf = leafFor(host);
      t.is(leaf.checkHost(host), host);
      t.is(leaf.checkHost(`a.${host}`), undefined);
      t.is(leaf.checkHost(host.slice(host.indexOf('.') + 1)), undefined);
    }),
    { numRuns: 60 },
  );
});
