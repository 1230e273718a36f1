import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { CommandError } from '../errors.ts';
import { otherParameters } from '../message/query.ts';
import { foldUnderscores } from '../message/syntax.ts';
import type { CanonicalUrl } from '../message/url.ts';
import { hmacFault, readsBodyOf, type HmacRule } from '../providers/hmac-rule.ts';
import { DEFAULT_MAX_BODY_BYTES } from './body-field.ts';
import type { Credential } from './credential.ts';
import { checkFieldName, checkFieldValue } from './header.ts';
import type { Draft } from './injector.ts';
import { noteSignature } from './own-signature.ts';
import { percentEncode } from './percent-encoding.ts';
import type { PreparedRule } from './prepared-rule.ts';
import { holds, Moment, parseTemplate, render, renderText, type Piece } from './request-template.ts';

/** What the rule writes: a header, or a query parameter. */
interface Output {
  readonly name: string;
  readonly pieces: readonly Piece[];
}

const NO_CONTENT = Buffer.alloc(0);

/** `hmac`: signs each request by a template, and writes the signature and what belongs to it. */
export function prepareHmac(rule: HmacRule, credential: Credential): PreparedRule {
  const fault = hmacFault(rule);
  if (fault !== undefined) throw new CommandError('record_invalid', `the rule that signs requests is wrong: ${fault.join(' ')}`);
  const signer = new Signer(rule, credential);
  const readsBody = readsBodyOf(rule);
  return {
    place: [
      ...Object.keys(rule.headers).map((name) => `header:${name.toLowerCase()}`),
      ...Object.keys(rule.query).map((name) => `query:${name}`),
    ],
    readsBody,
    apply: (draft) => {
      if (!readsBody || draft.body === undefined) {
        signer.sign(draft, NO_CONTENT);
        return;
      }
      return draft.body.read(rule.maxBytes ?? DEFAULT_MAX_BODY_BYTES).then((content) => {
        signer.sign(draft, content);
      });
    },
    sensitive: signer.constants(),
  };
}

class Signer {
  readonly #rule: HmacRule;
  readonly #key: KeyObject;
  readonly #message: readonly Piece[];
  readonly #headers: readonly Output[];
  readonly #headerNames: ReadonlySet<string>;
  readonly #queryNames: ReadonlySet<string>;
  /** Parameters that are part of what is signed, and those that hold the signature. */
  readonly #signedQuery: readonly Output[];
  readonly #signingQuery: readonly Output[];

  constructor(rule: HmacRule, credential: Credential) {
    const fill = (format: string): readonly Piece[] => parseTemplate(format, (fields) => credential.render(fields));
    const outputs = (formats: Readonly<Record<string, string>>): Output[] =>
      Object.entries(formats).map(([name, format]) => ({ name, pieces: fill(format) }));
    this.#rule = rule;
    this.#key = createSecretKey(decodeKey(credential.render(rule.key), rule.keyEncoding));
    this.#message = fill(rule.message);
    this.#headers = outputs(rule.headers);
    for (const { name, pieces } of this.#headers) {
      checkFieldName(name);
      checkFieldValue(
        name,
        renderText(pieces, () => 'x'),
      );
    }
    const query = outputs(rule.query);
    for (const { name, pieces } of query) percentEncode(name + renderText(pieces, () => 'x'));
    this.#signedQuery = query.filter(({ pieces }) => !holds(pieces, 'signature'));
    this.#signingQuery = query.filter(({ pieces }) => holds(pieces, 'signature'));
    this.#headerNames = new Set(Object.keys(rule.headers).map((name) => foldUnderscores(name.toLowerCase())));
    this.#queryNames = new Set(Object.keys(rule.query));
  }

  sign(draft: Draft, content: Buffer): void {
    const moment = new Moment(draft, content);
    draft.headers.filter(({ folded }) => !this.#headerNames.has(folded));
    draft.url = this.#withoutOwn(draft.url);
    for (const output of this.#signedQuery) addParameter(draft, output, (name) => moment.text(name));
    const signature = this.#signature((name) => moment.octets(name));
    noteSignature(draft, signature);
    const valueOf = (name: string): string => (name === 'signature' ? signature : moment.text(name));
    for (const { name, pieces } of this.#headers) draft.headers.append(name, renderText(pieces, valueOf));
    for (const output of this.#signingQuery) addParameter(draft, output, valueOf);
  }

  /** A signature that is the same in every request is as good as a password. */
  constants(): string[] {
    return this.#message.every((piece) => 'text' in piece) ? [this.#signature(() => NO_CONTENT)] : [];
  }

  #signature(octetsOf: (name: string) => Buffer): string {
    const hmac = createHmac(this.#rule.algorithm, this.#key);
    for (const part of render(this.#message, octetsOf)) hmac.update(part);
    const digest = hmac.digest();
    const { encoding } = this.#rule;
    return encoding === 'hex_upper' ? digest.toString('hex').toUpperCase() : digest.toString(encoding);
  }

  #withoutOwn({ path, query }: CanonicalUrl): CanonicalUrl {
    if (query === undefined || query === '' || this.#queryNames.size === 0) return { path, query };
    const kept = otherParameters(query, this.#queryNames);
    return { path, query: kept.length === 0 ? undefined : kept.join('&') };
  }
}

function addParameter(draft: Draft, { name, pieces }: Output, valueOf: (name: string) => string): void {
  const { path, query } = draft.url;
  const parameter = `${percentEncode(name)}=${percentEncode(renderText(pieces, valueOf))}`;
  draft.url = { path, query: query === undefined || query === '' ? parameter : `${query}&${parameter}` };
}

/** Throws `record_invalid`; the message does not hold the key. */
function decodeKey(text: string, encoding: HmacRule['keyEncoding']): Buffer {
  const form = encoding === 'hex' ? /^(?:[0-9A-Fa-f]{2})+$/ : /^[A-Za-z0-9+/_-]+={0,2}$/;
  if (text === '') throw new CommandError('record_invalid', 'the key that requests are signed with is empty');
  if (encoding === 'raw') return Buffer.from(text, 'utf8');
  if (!form.test(text)) throw new CommandError('record_invalid', `the key that requests are signed with is not in ${encoding}`);
  return Buffer.from(text, encoding);
}
