import { createPrivateKey, generateKeyPairSync, X509Certificate, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { AlterError, CommandError } from '../errors.ts';
import { readCaFiles, setCaFilesAside, writeCaFiles, type CaFiles } from './ca-files.ts';
import {
  caCommonName,
  ecdsaSigner,
  issueCaCertificate,
  issueLeafCertificate,
  issuerOf,
  subjectKey,
  type Issuer,
  type Signer,
} from './certificate.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Longest life of a leaf, from notBefore to notAfter. */
const MAX_LEAF_LIFE_MS = 7 * DAY_MS;
const YEAR_MS = 365.25 * DAY_MS;

/** A server certificate with its key. */
export interface Leaf {
  readonly certificatePem: string;
  /** A KeyObject, because it cannot be printed by accident. */
  readonly privateKey: KeyObject;
  /** Milliseconds since the epoch. */
  readonly notAfter: number;
}

/** A certificate authority, ready to sign. Its private key is in no property: it cannot be printed or exported. */
export interface Ca {
  readonly certificatePem: string;
  /** For people, on one line: `O=alter-proxy, CN=alter-proxy CA 1a2b3c4d`. */
  readonly subject: string;
  /** SHA-256 of the certificate, as `AB:CD:…`. */
  readonly fingerprint256: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /**
   * Makes a leaf for `host` (lower-case DNS name or IP address, no brackets), valid from an hour ago (clocks differ) for
   * `ttlMs` from now, but for 7 days in all at most and never outside the CA's own validity.
   * Throws `malformed_request` when `host` is no host, `internal_error` when the CA has expired.
   */
  mintLeaf(host: string, ttlMs: number): Leaf;
}

/** What may be chosen about a new CA, and what tests set. */
export interface CreateCaOptions {
  readonly validYears?: number;
  /** The clock, in milliseconds since the epoch. */
  readonly now?: () => number;
}

/**
 * Creates a CA in the folder `dir` (made with mode 0700; `ca.key` and `ca.pem` 0600), which must not exist or be empty.
 * Valid from a day ago (clocks differ) for `validYears`, 10 unless stated.
 * Throws `home_exists` when there is anything in `dir`, `file_unwritable` when it cannot be written.
 */
export function createCa(dir: string, options: CreateCaOptions = {}): Ca {
  const now = options.now ?? Date.now;
  const keys = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const start = now() - DAY_MS;
  const validity = { notBefore: new Date(start), notAfter: new Date(start + (options.validYears ?? 10) * YEAR_MS) };
  writeCaFiles(dir, {
    certificatePem: issueCaCertificate(caCommonName(keys.publicKey), keys, validity),
    privateKeyPem: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  });
  return loadCa(dir, { now });
}

/**
 * Creates a CA in the place of the one in `dir`, whose files stay in `<dir>.old`. Throws as {@link createCa}, and `not_allowed` when there is
 * something in `<dir>.old`; the CA in `dir` then stands.
 */
export function renewCa(dir: string): Ca {
  const takeBack = setCaFilesAside(dir);
  try {
    return createCa(dir);
  } catch (error) {
    takeBack();
    throw error;
  }
}

/**
 * Loads the CA of the folder `dir`. Throws `ca_unreadable` when a file is missing or damaged, key and certificate do not
 * belong together, or the certificate is no CA's or not valid now; `key_file_exposed` when group or others can get at the key.
 */
export function loadCa(dir: string, options: Pick<CreateCaOptions, 'now'> = {}): Ca {
  const now = options.now ?? Date.now;
  const files = readCaFiles(dir);
  const certificate = parseCertificate(join(dir, 'ca.pem'), files);
  const privateKey = parsePrivateKey(join(dir, 'ca.key'), files);
  if (!certificate.checkPrivateKey(privateKey)) throw unreadable(`ca.key and ca.pem in ${dir} do not belong together`);
  const notAfter = new Date(certificate.validTo);
  const notBefore = new Date(certificate.validFrom);
  if (now() > notAfter.getTime()) throw notValidNow(`the CA in ${dir} expired on ${notAfter.toISOString()}`, now());
  if (now() < notBefore.getTime()) throw notValidNow(`the CA in ${dir} is not valid before ${notBefore.toISOString()}`, now());
  return new LoadedCa(certificate, issuerIn(dir, certificate), ecdsaSigner(privateKey), now);
}

class LoadedCa implements Ca {
  readonly certificatePem: string;
  readonly subject: string;
  readonly fingerprint256: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly #issuer: Issuer;
  /** Closes over the private key. */
  readonly #signer: Signer;
  readonly #now: () => number;
  /**
   * One key pair for all leafs of this process, never written anywhere. A key of its own for each leaf would protect
   * nothing more, since all of them would lie in the same memory, and makes a leaf dearer by its generation and export.
   */
  readonly #leafKeys = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  readonly #leafSubjectKey = subjectKey(this.#leafKeys.publicKey);

  constructor(certificate: X509Certificate, issuer: Issuer, signer: Signer, now: () => number) {
    this.certificatePem = certificate.toString();
    this.subject = certificate.subject.replaceAll('\n', ', ');
    this.fingerprint256 = certificate.fingerprint256;
    this.notBefore = new Date(certificate.validFrom);
    this.notAfter = new Date(certificate.validTo);
    this.#issuer = issuer;
    this.#signer = signer;
    this.#now = now;
  }

  mintLeaf(host: string, ttlMs: number): Leaf {
    const now = this.#now();
    if (now > this.notAfter.getTime()) throw expired(this.notAfter);
    const notBefore = Math.max(now - HOUR_MS, this.notBefore.getTime());
    const notAfter = wholeSecond(Math.min(now + ttlMs, notBefore + MAX_LEAF_LIFE_MS, this.notAfter.getTime()));
    const validity = { notBefore: new Date(notBefore), notAfter: new Date(notAfter) };
    const certificatePem = issueLeafCertificate([host], this.#leafSubjectKey, validity, this.#issuer, this.#signer);
    return { certificatePem, privateKey: this.#leafKeys.privateKey, notAfter };
  }
}

function parseCertificate(file: string, { certificatePem }: CaFiles): X509Certificate {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(certificatePem);
  } catch (cause) {
    throw unreadable(`${file} is not a certificate in PEM`, cause);
  }
  if (!certificate.ca) throw unreadable(`${file} is not the certificate of a CA`);
  return certificate;
}

function parsePrivateKey(file: string, { privateKeyPem }: CaFiles): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(privateKeyPem);
  } catch (cause) {
    throw unreadable(`${file} is not an unencrypted private key in PEM`, cause);
  }
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw unreadable(`${file} is not an EC P-256 key`);
  return key;
}

function issuerIn(dir: string, certificate: X509Certificate): Issuer {
  try {
    return issuerOf(certificate);
  } catch (cause) {
    throw unreadable(`${join(dir, 'ca.pem')} has no subject key identifier`, cause);
  }
}

/** The clock is the likelier culprit: a CA is valid for years. */
function notValidNow(message: string, now: number): CommandError {
  return new CommandError('ca_unreadable', message, {
    hint: `The clock of this machine says ${new Date(now).toISOString()}: set it if it is wrong, else make a new CA with \`alter-proxy ca renew\`.`,
  });
}

function unreadable(message: string, cause?: unknown): CommandError {
  return new CommandError('ca_unreadable', message, { cause });
}

function expired(notAfter: Date): AlterError {
  return new AlterError('internal_error', { cause: new Error(`the CA of this proxy expired on ${notAfter.toISOString()}`) });
}

function wholeSecond(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}
