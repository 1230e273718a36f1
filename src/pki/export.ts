import { X509Certificate } from 'node:crypto';
import type { Ca } from './ca.ts';
import { javaTrustStore, type TrustedCertificate } from './java-trust-store.ts';
import { publicRoots, rootFiles } from './public-roots.ts';

/** What Java's own tools take when no password is given. */
const JAVA_DEFAULT_PASSWORD = 'changeit';

/**
 * How clients want to be told whom to trust: `pem` and `der` hold the CA alone; `bundle` the public roots and the CA, as
 * PEM, for variables that replace a client's roots (SSL_CERT_FILE, REQUESTS_CA_BUNDLE, …); `p12` is for Java.
 */
export type TrustFormat = 'pem' | 'der' | 'p12' | 'bundle';

/** What may be chosen about an export. */
export interface ExportTrustOptions {
  /** Password of a `p12`; `changeit` unless stated, which is also Java's own. */
  readonly password?: string;
  /** Puts the public roots into a `p12` too: `javax.net.ssl.trustStore` replaces Java's own roots. */
  readonly includeRoots?: boolean;
  /** Files of further roots; those of this machine and of NODE_EXTRA_CA_CERTS unless stated. */
  readonly rootFiles?: readonly string[];
}

/** What a client needs in order to trust `ca`. Throws `file_unreadable` when a file of roots cannot be read. */
export function exportTrust(ca: Ca, format: TrustFormat, options: ExportTrustOptions = {}): Buffer {
  switch (format) {
    case 'pem':
      return Buffer.from(ca.certificatePem);
    case 'der':
      return new X509Certificate(ca.certificatePem).raw;
    case 'bundle':
      return Buffer.from([...rootsOf(options), ca.certificatePem].join(''));
    case 'p12':
      return javaTrustStore(trustedBy(ca, options), options.password ?? JAVA_DEFAULT_PASSWORD);
  }
}

function rootsOf(options: ExportTrustOptions): string[] {
  return publicRoots(options.rootFiles ?? rootFiles(process.env));
}

function trustedBy(ca: Ca, options: ExportTrustOptions): TrustedCertificate[] {
  const own = { alias: 'alter-proxy', certificate: new X509Certificate(ca.certificatePem) };
  const roots = options.includeRoots === true ? rootsOf(options) : [];
  return [own, ...roots.map(trustedRoot)];
}

/** Java keeps one entry for an alias, so the alias of a root is made of its fingerprint. */
function trustedRoot(pem: string): TrustedCertificate {
  const certificate = new X509Certificate(pem);
  return { alias: `root-${certificate.fingerprint256.replaceAll(':', '').slice(0, 16).toLowerCase()}`, certificate };
}
