import { chain } from '../../message/maybe-promise.ts';
import type { MaybePromise } from '../../message/maybe-promise.ts';
import type { HeaderList } from '../../message/header-list.ts';
import type { ResponseHead } from '../../message/response.ts';
import { derivedFields } from '../../providers/derived-fields.ts';
import { fieldReferences } from '../../providers/format.ts';
import { ruleFormats } from '../../providers/rules.ts';
import type { ProviderTemplate } from '../../providers/template.ts';
import { Secret, reveal } from '../../secret/reveal.ts';
import type { Draft, PreparedInjection, UrlJudgement } from '../injector.ts';
import { prepareInjection } from '../registry.ts';
import { makeScrubber } from '../scrubber.ts';
import type { ProviderClock } from '../sigv4/clock.ts';
import { TokenSource } from './token-source.ts';
import type { TokenSourceOptions } from './token-source.ts';
import type { DerivedToken, TokenExchange } from './token.ts';

/** Fits every kind of rule, so that the places of an injection are known before there is a token. */
const STAND_IN = new Secret(Buffer.from('user:password').toString('base64'));

type Fields = Readonly<Record<string, Secret>>;

/** Everything of a token source but how its tokens are injected. */
export interface DerivedOptions extends Omit<TokenSourceOptions, 'prepare'> {
  /** Of the provider: it outlives each token. */
  readonly clock: ProviderClock;
}

/** The injection of a secret whose provider takes short-lived tokens. */
export class DerivedInjection implements PreparedInjection {
  readonly writes: readonly string[];
  readonly readsBody?: boolean;
  /** Of the rules: a service of AWS looks at the credentials of a request before it does anything. */
  readonly refusedUnprocessed?: boolean;
  readonly redactPath?: (path: string) => string;
  readonly judgedUrl?: UrlJudgement;
  readonly #source: TokenSource;
  readonly #refuses: (head: ResponseHead) => boolean;
  readonly #template: ProviderTemplate;
  #scrubFields: (headers: HeaderList) => void;

  /** Throws `record_invalid` for stored values that cannot be injected. */
  constructor(template: ProviderTemplate, fields: Fields, options: DerivedOptions) {
    const { maker, clock } = options;
    this.#template = template;
    const outline = outlineOf(template, fields);
    this.writes = outline.writes;
    if (outline.readsBody !== undefined) this.readsBody = outline.readsBody;
    if (outline.refusedUnprocessed !== undefined) this.refusedUnprocessed = outline.refusedUnprocessed;
    if (outline.redactPath !== undefined) this.redactPath = outline.redactPath;
    if (outline.judgedUrl !== undefined) this.judgedUrl = outline.judgedUrl;
    this.#source = new TokenSource({
      ...options,
      exchange: correcting(options),
      prepare: (token) => prepareWith(template, fields, token, clock),
    });
    this.#refuses = (head) => maker.refuses(head);
    this.#scrubFields = fieldScrubber(template, fields);
  }

  /** The stored values are these now; the tokens stay. */
  update(fields: Fields): void {
    this.#scrubFields = fieldScrubber(this.#template, fields);
  }

  apply(draft: Draft): MaybePromise<void> {
    return chain(this.#source.current(), (injection) => injection.apply(draft));
  }

  readonly refreshAfter = (head: ResponseHead, at: number, sent: Draft): MaybePromise<boolean> => {
    if (this.#refuses(head)) return this.#source.replaced(at);
    if (head.status < 400) this.#source.accepted();
    return this.#source.inUse()[0]?.refreshAfter?.(head, at, sent) ?? false;
  };

  scrub(headers: HeaderList): void {
    this.#scrubFields(headers);
    for (const injection of this.#source.inUse()) injection.scrub(headers);
  }
}

/** The injection with stand-ins for what is derived: it proves that the rest can be injected, and names the places. */
export function outlineOf(template: ProviderTemplate, fields: Fields): PreparedInjection {
  return prepareWith(template, fields, Object.fromEntries(derivedFields(template.derive).map((name) => [name, STAND_IN])));
}

/** Of the stored fields only those go into a request that inject rules name. */
function prepareWith(template: ProviderTemplate, fields: Fields, token: DerivedToken['values'], clock?: ProviderClock): PreparedInjection {
  const names = new Set(template.inject.flatMap(ruleFormats).flatMap(fieldReferences));
  const named = Object.entries(fields).filter(([name]) => names.has(name));
  return prepareInjection(template, { ...Object.fromEntries(named), ...token }, clock);
}

/** The exchange with an endpoint whose answer may show what was wrong with the request: then another one follows, once. */
function correcting({ maker, exchange, now }: DerivedOptions): TokenExchange {
  return async (request, limits) => {
    const answer = await exchange(request, limits);
    const corrected = maker.corrected?.(answer, now());
    return corrected === undefined ? answer : exchange(corrected, limits);
  };
}

/** What has several lines never leaves the proxy, and no header could repeat it. */
function fieldScrubber({ fields: declared }: ProviderTemplate, fields: Fields): (headers: HeaderList) => void {
  const hidden = Object.entries(fields).filter(([name]) => declared[name]?.secret !== false && declared[name]?.multiline !== true);
  return makeScrubber(
    hidden.map(([, secret]) => reveal(secret)),
    [],
  );
}
