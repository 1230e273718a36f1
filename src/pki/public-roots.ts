import { existsSync, readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { CommandError } from '../errors.ts';

/** Where systems keep their roots: Debian and Alpine, Red Hat, SUSE, macOS and BSD. The first that exists counts. */
const SYSTEM_BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];
const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g;

/** The files of roots that this machine and `environment` add to those that Node ships. */
export function rootFiles(environment: NodeJS.ProcessEnv): string[] {
  const system = SYSTEM_BUNDLES.find((file) => existsSync(file));
  const extra = environment['NODE_EXTRA_CA_CERTS'];
  return [...(system === undefined ? [] : [system]), ...(extra === undefined || extra === '' ? [] : [extra])];
}

/**
 * The roots that a program on this machine trusts without the proxy: those that Node ships and those of `files`, as PEM,
 * each once. Throws `file_unreadable` when one of the files cannot be read.
 */
export function publicRoots(files: readonly string[]): string[] {
  const texts = [...rootCertificates, ...files.map(readBundle)];
  const unique = new Map<string, string>();
  for (const text of texts) {
    for (const [, body = ''] of text.matchAll(PEM_CERTIFICATE)) {
      const base64 = body.replaceAll(/\s/g, '');
      unique.set(base64, pem(base64));
    }
  }
  return [...unique.values()];
}

function pem(base64: string): string {
  const lines = base64.match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function readBundle(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch (cause) {
    throw new CommandError('file_unreadable', `the CA file ${file} cannot be read`, { cause });
  }
}
