import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/**
 * A CA, and EC P-256 certificates of it for the origin and for whoever intercepts (`leaf`). Returns the folder: `<name>.pem`, `<name>.key`,
 * and `<name>.chain.pem` with the CA's own certificate after the leaf's.
 */
export function makeCertificates(folder) {
  const certs = path.join(folder, 'certs');
  mkdirSync(certs);
  const openssl = (...args) => execFileSync('openssl', args, { cwd: certs, stdio: 'pipe' });
  const makeKey = (name) => openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', `${name}.key`);
  const read = (name) => readFileSync(path.join(certs, name), 'utf8');
  const write = (name, text) => writeFileSync(path.join(certs, name), text);
  makeKey('ca');
  const authority = ['-subj', '/CN=benchmark CA', '-addext', 'basicConstraints=critical,CA:TRUE'];
  openssl('req', '-x509', '-new', '-key', 'ca.key', '-days', '2', ...authority, '-out', 'ca.pem');
  write('leaf.cnf', 'subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n');
  for (const name of ['origin', 'leaf']) {
    makeKey(name);
    openssl('req', '-new', '-key', `${name}.key`, '-subj', '/CN=localhost', '-out', `${name}.csr`);
    const signer = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'leaf.cnf'];
    openssl('x509', '-req', '-in', `${name}.csr`, ...signer, '-out', `${name}.pem`);
    write(`${name}.chain.pem`, read(`${name}.pem`) + read('ca.pem'));
  }
  return certs;
}
