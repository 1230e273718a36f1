import { H1Error, type H1Reason } from './error.ts';
import { afterLineEnd, brokenLineEnd, isLineEnd } from './field-line.ts';
import type { H1Version } from './head-fields.ts';
import type { OctetLines } from './octet-lines.ts';
import { FIELD_OCTETS, SP, TARGET_OCTETS, TOKEN_OCTETS, skip } from './octets.ts';

/** The first line of a message, into which each line is read. */
export interface StartLine {
  readonly version: H1Version;
  /** Whether a message may begin with this octet: what cannot be one is refused before its first line is complete. */
  mayBeginWith(octet: number): boolean;
  readonly badLine: H1Reason;
  /** Reads the line at `start`; returns the position after it. Throws H1Error. */
  read(lines: OctetLines, start: number): number;
}

/** `GET /path HTTP/1.1`, RFC 9112 §3: single spaces, a version, visible ASCII. */
export class RequestLine implements StartLine {
  method = '';
  target = '';
  version: H1Version = '1.1';
  readonly badLine = 'bad_request_line';

  mayBeginWith(octet: number): boolean {
    return TOKEN_OCTETS[octet] === 1;
  }

  read(lines: OctetLines, start: number): number {
    const methodEnd = skip(TOKEN_OCTETS, lines, start);
    if (methodEnd === start || lines.at(methodEnd) !== SP) throw broken(lines, methodEnd, 'bad_request_line');
    const targetEnd = skip(TARGET_OCTETS, lines, methodEnd + 1);
    if (lines.at(targetEnd) !== SP) throw broken(lines, targetEnd, isLineEnd(lines, targetEnd) ? 'bad_request_line' : 'bad_target');
    this.method = lines.slice(start, methodEnd);
    this.target = lines.slice(methodEnd + 1, targetEnd);
    this.version = readVersion(lines, targetEnd + 1, 'bad_request_line');
    const next = afterLineEnd(lines, targetEnd + 9, 'bad_version');
    this.#check();
    return next;
  }

  #check(): void {
    if (this.method.length === 5 && /^tra(?:ce|ck)$/i.test(this.method)) throw new H1Error('trace_method');
    if (!hasKnownForm(this.method, this.target)) throw new H1Error('bad_target');
  }
}

/** `HTTP/1.1 200 OK`, RFC 9112 §4: the space after the status stands also where there is no reason. */
export class StatusLine implements StartLine {
  status = 0;
  reason = '';
  version: H1Version = '1.1';
  readonly badLine = 'bad_status_line';

  mayBeginWith(octet: number): boolean {
    return octet === 0x48;
  }

  read(lines: OctetLines, start: number): number {
    this.version = readVersion(lines, start, 'bad_status_line');
    const at = start + 8;
    if (lines.at(at) !== SP) throw broken(lines, at, 'bad_status_line');
    this.status = readStatus(lines, at + 1);
    if (lines.at(at + 4) !== SP) throw broken(lines, at + 4, 'bad_status_line');
    const end = skip(FIELD_OCTETS, lines, at + 5);
    this.reason = lines.slice(at + 5, end);
    return afterLineEnd(lines, end, 'bad_status_line');
  }
}

const VERSION = Buffer.from('HTTP/1.', 'latin1');
const HOST = '[A-Za-z0-9._:[\\]-]+';
const AUTHORITY_FORM = new RegExp(`^${HOST}:[0-9]+$`);
const ABSOLUTE_FORM = new RegExp(`^https?://${HOST}(?:[/?]|$)`, 'i');

/** RFC 9112 §3.2: origin-form, absolute-form of http and https, authority-form for CONNECT, asterisk-form for OPTIONS. */
function hasKnownForm(method: string, target: string): boolean {
  if (method === 'CONNECT') return AUTHORITY_FORM.test(target);
  if (target.charCodeAt(0) === 0x2f) return true;
  return target === '*' ? method === 'OPTIONS' : ABSOLUTE_FORM.test(target);
}

/** Reads the eight characters of a version. A line that ends before is `badLine`: a line without version belongs to HTTP/0.9. */
function readVersion(lines: OctetLines, at: number, badLine: H1Reason): H1Version {
  if (startsVersion(lines, at)) {
    const minor = lines.at(at + 7);
    if (minor === 0x31) return '1.1';
    if (minor === 0x30) return '1.0';
  }
  const end = skip(FIELD_OCTETS, lines, at);
  throw broken(lines, end, /^HTTP\/[0-9]/i.test(lines.slice(at, end)) ? 'bad_version' : badLine);
}

/** Whether `HTTP/1.` stands at `at`. */
function startsVersion({ octets }: OctetLines, at: number): boolean {
  for (let i = 0; i < VERSION.length; i += 1) if (octets[at + i] !== VERSION[i]) return false;
  return true;
}

/** Three digits from 100 to 999: RFC 9110 §15 has recipients treat 600 and above as 5xx, and they pass as they are. */
function readStatus(lines: OctetLines, at: number): number {
  let status = 0;
  for (let i = at; i < at + 3; i += 1) {
    const digit = lines.at(i) - 0x30;
    if (!(digit >= 0 && digit <= 9)) throw broken(lines, i, 'bad_status_line');
    status = 10 * status + digit;
  }
  if (status < 100) throw new H1Error('bad_status_line');
  return status;
}

/** A line that ends too early, or goes on with what must not stand at `at`. */
function broken(lines: OctetLines, at: number, otherwise: H1Reason): H1Error {
  return new H1Error(isLineEnd(lines, at) ? otherwise : (brokenLineEnd(lines.at(at)) ?? otherwise));
}
