import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { ecdsaSigner, issueCaCertificate, issueLeafCertificate, issuerOf, subjectKey } from '../../src/pki/certificate.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A server certificate and its private key, as PEM. */
export interface TestCertificate {
  readonly key: string;
  readonly cert: string;
}

/** When a test certificate is valid; from an hour ago for a day unless stated. */
export interface TestValidity {
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

/** A CA of the test's own: it stands for the public CAs of the internet, and has nothing to do with the proxy's CA. */
export interface TestAuthority {
  /** To be trusted by whoever shall trust this authority. */
  readonly caPem: string;
  /** A certificate for `hosts` (DNS names or IP addresses), with a key of its own. */
  issue(hosts: readonly string[], validity?: TestValidity): TestCertificate;
}

/** Makes a new CA; two of them never trust each other. */
export function makeTestAuthority(commonName = 'Test Internet CA'): TestAuthority {
  const keys = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const caPem = issueCaCertificate(commonName, keys, { notBefore: daysFromNow(-30), notAfter: daysFromNow(30) });
  const issuer = issuerOf(new X509Certificate(caPem));
  const signer = ecdsaSigner(keys.privateKey);
  return {
    caPem,
    issue: (hosts, validity = {}) => {
      const leaf = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
      const range = { notBefore: validity.notBefore ?? new Date(Date.now() - HOUR_MS), notAfter: validity.notAfter ?? daysFromNow(1) };
      const cert = issueLeafCertificate(hosts, subjectKey(leaf.publicKey), range, issuer, signer);
      return { cert, key: leaf.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
    },
  };
}

/** A certificate of `authority` that expired a day ago. */
export function expiredCertificate(authority: TestAuthority, hosts: readonly string[]): TestCertificate {
  return authority.issue(hosts, { notBefore: daysFromNow(-3), notAfter: daysFromNow(-1) });
}

/** A valid certificate of `authority`, but for `wrong-host.test`. */
export function wrongHostCertificate(authority: TestAuthority): TestCertificate {
  return authority.issue(['wrong-host.test']);
}

/** A certificate for `hosts` that its own key signed: no authority stands behind it. */
export function selfSignedCertificate(hosts: readonly string[]): TestCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const key = subjectKey(publicKey);
  const signer = ecdsaSigner(privateKey);
  // Issuer and subject must be one name, so the first round only makes the name.
  const ca = issuerOf(new X509Certificate(issueCaCertificate('Nobody', { publicKey, privateKey }, validForADay())));
  const self = issuerOf(new X509Certificate(issueLeafCertificate(hosts, key, validForADay(), ca, signer)));
  const cert = issueLeafCertificate(hosts, key, validForADay(), self, signer);
  return { cert, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

function validForADay(): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(Date.now() - HOUR_MS), notAfter: daysFromNow(1) };
}

function daysFromNow(days: number): Date {
  return new Date(Date.now() + days * DAY_MS);
}
