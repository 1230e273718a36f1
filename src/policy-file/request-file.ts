import { AlterError } from '../errors.ts';
import { parseAuthority } from '../message/authority.ts';
import { canonicalUrl } from '../message/url.ts';
import type { CanonicalUrl } from '../message/url.ts';
import { ProviderDocument } from '../providers/document.ts';
import type { Path } from '../providers/document.ts';

/** A request as somebody describes it to see what the rules say. */
export interface DescribedRequest {
  readonly method: string;
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  readonly url: CanonicalUrl;
  /** Name, value, name, value … */
  readonly headers: readonly string[];
  /** Text of the form in its body. */
  readonly form: string | undefined;
  readonly clientAddress: string;
  /** Milliseconds since the epoch; undefined: now. */
  readonly time: number | undefined;
  readonly reason: string | undefined;
  readonly context: Readonly<Record<string, string>> | undefined;
  readonly agent: string | undefined;
}

const MEMBERS = ['method', 'url', 'headers', 'form', 'client_address', 'time', 'reason', 'context', 'agent'];

/**
 * Reads the description of a request, YAML or JSON: `method`, `url`, `headers`, `form`, `client_address`, `time` (ISO 8601), `reason`, `context`,
 * `agent`; only `url` must be there. Throws `config_invalid` with the place of the first fault.
 */
export function parseRequestFile(text: string, fileName: string): DescribedRequest {
  const reader = new RequestReader(new ProviderDocument(text, fileName));
  return reader.read();
}

class RequestReader {
  readonly #document: ProviderDocument;
  readonly #data: Readonly<Record<string, unknown>>;

  constructor(document: ProviderDocument) {
    this.#document = document;
    const data = document.data();
    if (typeof data !== 'object' || data === null || Array.isArray(data))
      throw document.error([], `must be a mapping of ${MEMBERS.join(', ')}`);
    this.#data = data as Readonly<Record<string, unknown>>;
    const stranger = Object.keys(data).find((member) => !MEMBERS.includes(member));
    if (stranger !== undefined) throw document.keyError([], stranger, `is not known; known are ${MEMBERS.join(', ')}`);
  }

  read(): DescribedRequest {
    return {
      method: this.#text('method') ?? 'GET',
      ...this.#target(),
      headers: Object.entries(this.#texts('headers') ?? {}).flat(),
      form: this.#text('form'),
      clientAddress: this.#text('client_address') ?? '127.0.0.1',
      time: this.#time(),
      reason: this.#text('reason'),
      context: this.#texts('context'),
      agent: this.#text('agent'),
    };
  }

  #target(): Pick<DescribedRequest, 'scheme' | 'host' | 'port' | 'url'> {
    const [, scheme, authority = '', target = ''] = /^(https?):\/\/([^/?#]+)(.*)$/.exec(this.#text('url') ?? '') ?? [];
    if (scheme === undefined) throw this.#fault(['url'], 'must be a URL such as https://api.example.com/v1/models');
    try {
      const { host, port } = parseAuthority(authority, scheme === 'http' ? 80 : 443);
      const url = canonicalUrl(target.startsWith('/') ? target : `/${target}`);
      return { scheme: scheme === 'http' ? 'http' : 'https', host, port, url };
    } catch (error) {
      if (!(error instanceof AlterError)) throw error;
      throw this.#fault(['url'], `would be refused before any rule: ${error.detail ?? error.message}`);
    }
  }

  #time(): number | undefined {
    const text = this.#text('time');
    if (text === undefined) return undefined;
    const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d.*(?:Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : NaN;
    if (Number.isNaN(time)) throw this.#fault(['time'], 'must be a time such as 2026-07-15T12:00:00Z');
    return time;
  }

  #text(member: string): string | undefined {
    const value = this.#data[member];
    if (value !== undefined && typeof value !== 'string') throw this.#fault([member], 'must be text (put it in quotes)');
    return value;
  }

  #texts(member: string): Readonly<Record<string, string>> | undefined {
    const value = this.#data[member];
    if (value === undefined) return undefined;
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw this.#fault([member], 'must be a mapping of names to texts');
    for (const [name, item] of Object.entries(value))
      if (typeof item !== 'string') throw this.#fault([member, name], 'must be text (put it in quotes)');
    return value as Readonly<Record<string, string>>;
  }

  #fault(path: Path, what: string): Error {
    return this.#document.error(path, what);
  }
}
