import { clientSignature, type ClientSignature } from '../../aws/client-signature.ts';
import { resolveScope, type AwsScope, type ScopeSettings } from '../../aws/scope.ts';
import { AlterError, CommandError } from '../../errors.ts';
import { malformed } from '../../message/malformed.ts';
import { chain, type MaybePromise } from '../../message/maybe-promise.ts';
import type { InjectionRule } from '../../providers/template.ts';
import type { Credential } from '../credential.ts';
import type { Draft } from '../injector.ts';
import { noteSignature } from '../own-signature.ts';
import type { PreparedRule } from '../prepared-rule.ts';
import { resignChunks } from './chunk-stream.ts';
import { ProviderClock } from './clock.ts';
import { declaredPayload, isS3Like, namesPayload, payloadOf, UNSIGNED_PAYLOAD, type Payload } from './payload.ts';
import { signHead } from './sign-head.ts';
import { remainingSeconds, signQuery } from './sign-query.ts';
import { EMPTY_HASH } from './signature.ts';
import { Signers, type AccessKey, type Signer } from './signer.ts';

/** The largest body that is held to be hashed, unless the rule says otherwise. */
const DEFAULT_MAX_BODY_BYTES = 16 * 1024 * 1024;

type SigV4Rule = Extract<InjectionRule, { readonly kind: 'sigv4' }>;

/**
 * `sigv4`: AWS Signature Version 4, in Authorization or, where the client has presigned the URL, in the query. The client's own signature,
 * made with any key, says which service and region it means, and is replaced.
 */
export function prepareSigV4(rule: SigV4Rule, credential: Credential, clock = new ProviderClock(Date.now)): PreparedRule {
  const signing = new SigV4(accessKeyOf(rule, credential), settingsOf(rule, credential), rule.maxBytes ?? DEFAULT_MAX_BODY_BYTES, clock);
  return {
    place: ['header:authorization', 'query:X-Amz-Credential'],
    readsBody: true,
    apply: (draft) => signing.apply(draft),
    refreshAfter: (head, at, { signedOffsetMs = clock.offsetMs }) => clock.learn(head, at, signedOffsetMs),
    refusedUnprocessed: true,
    sensitive: [],
  };
}

/** One request on its way to its signature. */
interface Case {
  readonly draft: Draft;
  readonly client: ClientSignature | undefined;
  readonly scope: AwsScope;
  readonly signer: Signer;
}

class SigV4 {
  readonly #clock: ProviderClock;
  readonly #accessKey: AccessKey;
  readonly #settings: ScopeSettings;
  readonly #maxBytes: number;
  readonly #signers: Signers;

  constructor(accessKey: AccessKey, settings: ScopeSettings, maxBytes: number, clock: ProviderClock) {
    this.#clock = clock;
    this.#accessKey = accessKey;
    this.#settings = settings;
    this.#maxBytes = maxBytes;
    this.#signers = new Signers(accessKey);
  }

  apply(draft: Draft): MaybePromise<void> {
    const client = clientSignature(draft.headers, draft.url.query);
    const scope = resolveScope(draft.origin.host, client, this.#settings);
    const { service, regions, multiRegion } = scope;
    const signer = multiRegion ? this.#signers.forRegionSet(service, regions) : this.#signers.forRegion({ service, region: regions[0] });
    const request = { draft, client, scope, signer };
    const declared = declaredPayload(draft.headers, draft.url.query);
    if (client?.form === 'query') return this.#presigned(request, client, declared);
    return this.#headed(request, payloadOf(declared, service, draft.origin.scheme), declared !== undefined);
  }

  #headed(request: Case, payload: Payload, declared: boolean): MaybePromise<void> {
    switch (payload.kind) {
      case 'hash':
        return chain(this.#bodyHash(request, 'or-unsigned'), (text) => {
          this.#signHead(request, text, declared);
        });
      case 'given':
        this.#signHead(request, payload.text, true);
        return;
      case 'chunks':
        this.#signChunks(request, payload);
    }
  }

  #signHead({ draft, scope, signer }: Case, payload: string, declared: boolean) {
    const at = this.#dateOf(draft);
    const signing = signHead(draft, this.#accessKey, signer, {
      payload,
      namesPayload: declared || namesPayload(scope.service),
      pathStyle: pathStyleOf(scope),
      at,
    });
    noteSignature(draft, signing.seed);
    return signing;
  }

  #signChunks(request: Case, payload: Extract<Payload, { readonly kind: 'chunks' }>): void {
    const { draft, scope } = request;
    if (!isS3Like(scope.service)) throw malformed('Only S3 takes a body that is signed chunk by chunk.');
    if ((payload.algorithm === 'ecdsa') !== scope.multiRegion)
      throw malformed('The chunks are signed with another algorithm than the host takes.');
    if (draft.body === undefined) throw malformed('A body that is signed chunk by chunk is announced, and there is none.');
    const decodedLength = decodedLengthOf(draft);
    const signing = this.#signHead(request, payload.text, true);
    draft.body.transform(resignChunks(signing, { trailers: payload.trailers, decodedLength }), draft.bodyLength);
  }

  #presigned(request: Case, client: ClientSignature, declared: string | undefined): MaybePromise<void> {
    const { draft, scope, signer } = request;
    const payload = payloadOf(declared ?? (isS3Like(scope.service) ? UNSIGNED_PAYLOAD : undefined), scope.service, draft.origin.scheme);
    if (payload.kind === 'chunks') throw malformed('A presigned request has no body that is signed chunk by chunk.');
    return chain(payload.kind === 'given' ? payload.text : this.#bodyHash(request, 'always'), (text) => {
      const at = this.#dateOf(draft);
      // What the client has signed for how long, it has said by a clock of its own, not by the provider's.
      const expiresS = remainingSeconds(client, this.#clock.local());
      const options = { payload: text, pathStyle: pathStyleOf(scope), at, expiresS };
      const { url, signature } = signQuery(draft, client, this.#accessKey, signer, options);
      draft.url = url;
      noteSignature(draft, signature);
    });
  }

  /** The date that the request is signed with. It is kept with the request by which clock that is. */
  #dateOf(draft: Draft): number {
    draft.signedOffsetMs = this.#clock.offsetMs;
    return this.#clock.now();
  }

  /** Hash of the body; for `or-unsigned`, S3 takes one over TLS that is too large to be held without. */
  #bodyHash({ draft, scope }: Case, want: 'always' | 'or-unsigned'): MaybePromise<string> {
    const { body, bodyLength, origin } = draft;
    if (bodyLength.kind === 'none' || (bodyLength.kind === 'length' && bodyLength.bytes === 0)) return EMPTY_HASH;
    if (body === undefined) throw new AlterError('internal_error', { detail: 'the body cannot be read' });
    const tooLarge = bodyLength.kind === 'length' && bodyLength.bytes > this.#maxBytes;
    if (tooLarge && want === 'or-unsigned' && origin.scheme === 'https' && isS3Like(scope.service)) return UNSIGNED_PAYLOAD;
    return body.digest('sha256', this.#maxBytes);
  }
}

function pathStyleOf({ service }: AwsScope): 'encoded-once' | 'encoded-twice' {
  return isS3Like(service) ? 'encoded-once' : 'encoded-twice';
}

function decodedLengthOf({ headers }: Draft): number | undefined {
  const text = headers.get('x-amz-decoded-content-length');
  if (text === undefined) return undefined;
  const length = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (Number.isNaN(length)) throw malformed('X-Amz-Decoded-Content-Length is no length.');
  return length;
}

function accessKeyOf(rule: SigV4Rule, credential: Credential): AccessKey {
  const accessKeyId = credential.render(rule.accessKeyId);
  const secretAccessKey = credential.render(rule.secretAccessKey);
  if (!/^[\w+=,.@-]+$/.test(accessKeyId))
    throw new CommandError('record_invalid', 'the access key id is empty, or holds a character that none has');
  if (secretAccessKey === '') throw new CommandError('record_invalid', 'the secret access key is empty');
  const sessionToken = credential.renderOptional(rule.sessionToken);
  if (sessionToken !== undefined && !/^[!-~]+$/.test(sessionToken))
    throw new CommandError('record_invalid', 'the session token is no token');
  return { accessKeyId, secretAccessKey, sessionToken };
}

function settingsOf(rule: SigV4Rule, credential: Credential): ScopeSettings {
  const word = (format: string | undefined, what: string): string | undefined => {
    const value = credential.renderOptional(format);
    if (value !== undefined && !/^[^\s/]{1,64}$/.test(value)) throw new CommandError('record_invalid', `the ${what} is not one word`);
    return value;
  };
  return { region: word(rule.region, 'region'), service: word(rule.service, 'service') };
}
