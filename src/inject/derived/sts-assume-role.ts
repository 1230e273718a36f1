import { suffixOfRegion } from '../../aws/partitions.ts';
import { CommandError } from '../../errors.ts';
import { parseAuthority } from '../../message/authority.ts';
import { HeaderList } from '../../message/header-list.ts';
import { canonicalUrl } from '../../message/url.ts';
import type { AssumeRoleDerivation } from '../../providers/derivation.ts';
import { Secret } from '../../secret/reveal.ts';
import type { ProviderClock } from '../sigv4/clock.ts';
import { signHead } from '../sigv4/sign-head.ts';
import { contentHash } from '../sigv4/signature.ts';
import { Signers, type AccessKey } from '../sigv4/signer.ts';
import { refused, unusable } from './failure.ts';
import { lifeUntil } from './oauth2-answer.ts';
import { formOf } from './oauth2.ts';
import type { StoredValues } from './stored-values.ts';
import type { DerivedToken, TokenAnswer, TokenMaker, TokenRequest } from './token.ts';

const DEFAULT_DURATION_S = 3600;
const DEFAULT_SESSION_NAME = 'alter-proxy';

/** `sts_assume_role`: what a role may do, for a while, by AWS STS, whose `clock` dates the requests. */
export function assumeRole(derive: AssumeRoleDerivation, values: StoredValues, clock: ProviderClock): TokenMaker {
  const region = checked(values.text(derive.region), /^[a-z0-9-]{1,32}$/, 'the region is not the name of one');
  const url = derive.endpoint === undefined ? regionalEndpoint(region) : values.url(derive.endpoint);
  const { host, pathname } = new URL(url);
  const origin = { scheme: 'https', ...parseAuthority(host, 443) } as const;
  const accessKey = accessKeyOf(derive, values);
  const signer = new Signers(accessKey).forRegion({ service: 'sts', region });
  const body = bodyOf(derive, values);
  // Of the last request: there is one at a time.
  let signedOffsetMs = clock.offsetMs;
  const request = (): TokenRequest => {
    signedOffsetMs = clock.offsetMs;
    const headers = new HeaderList([
      ...['Content-Type', 'application/x-www-form-urlencoded', 'Accept', 'text/xml', 'User-Agent', 'alter-proxy'],
    ]);
    const payload = contentHash(Buffer.from(body, 'utf8'));
    const head = { method: 'POST', origin, url: canonicalUrl(pathname), headers };
    signHead(head, accessKey, signer, { payload, namesPayload: false, pathStyle: 'encoded-twice', at: clock.now() });
    return { method: 'POST', url, headers: headers.flat(), body };
  };
  return {
    endpoint: host,
    renews: undefined,
    request,
    corrected: (answer, at) => (clock.learn(answer, at, signedOffsetMs) ? request() : undefined),
    read: (answer, at) => readAnswer(host, answer, at),
    refuses: ({ status, headers }) => status >= 400 && status < 500 && saysExpired(headers.get('x-amzn-errortype')),
  };
}

/** Most services of AWS say in the body why they refuse; those with JSON protocols say it in the head, too. */
function saysExpired(type: string | undefined): boolean {
  return /^(?:[\w.]+#)?(?:ExpiredToken|ExpiredTokenException|UnrecognizedClientException|InvalidClientTokenId)(?::|$)/.test(type ?? '');
}

/** Source: AWS General Reference, AWS STS endpoints. */
function regionalEndpoint(region: string): string {
  const suffix = suffixOfRegion(region);
  if (suffix === undefined) {
    throw new CommandError(
      'record_invalid',
      'the region is none whose STS endpoint is known; a provider of your own can name it with endpoint',
    );
  }
  return `https://sts.${region}${suffix}/`;
}

function accessKeyOf(derive: AssumeRoleDerivation, values: StoredValues): AccessKey {
  return {
    accessKeyId: checked(
      values.text(derive.accessKeyId),
      /^[\w+=,.@-]+$/,
      'the access key id is empty, or holds a character that none has',
    ),
    secretAccessKey: checked(values.text(derive.secretAccessKey), /^[!-~]+$/, 'the secret access key is empty, or holds a space'),
    sessionToken: values.optional(derive.sessionToken),
  };
}

function bodyOf(derive: AssumeRoleDerivation, values: StoredValues): string {
  const tags = values.map(derive.tags).flatMap(([name, value], index) => {
    const member = `Tags.member.${String(index + 1)}`;
    return [[`${member}.Key`, name] as const, [`${member}.Value`, value] as const];
  });
  const name = values.optional(derive.sessionName) ?? DEFAULT_SESSION_NAME;
  return formOf([
    ['Action', 'AssumeRole'],
    ['Version', '2011-06-15'],
    [
      'RoleArn',
      checked(values.text(derive.roleArn), /^arn:[\w-]+:iam::\d{12}:role\/[\w+=,.@/-]{1,512}$/, 'the role is not the ARN of one'),
    ],
    ['RoleSessionName', checked(name, /^[\w+=,.@-]{2,64}$/, 'the name of the session has 2 to 64 letters, digits and + = , . @ -')],
    ['DurationSeconds', String(derive.duration ?? DEFAULT_DURATION_S)],
    ['ExternalId', values.optional(derive.externalId)],
    ['Policy', policyOf(values.optional(derive.policy))],
    ...tags,
  ]);
}

function policyOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    // Without the white space of the file: STS counts the characters.
    return JSON.stringify(JSON.parse(text));
  } catch {
    throw new CommandError('record_invalid', 'the session policy is not JSON');
  }
}

function checked(value: string, form: RegExp, otherwise: string): string {
  if (!form.test(value)) throw new CommandError('record_invalid', otherwise);
  return value;
}

/** Errors of STS that may be shown. Source: AWS STS API Reference, AssumeRole and Common Errors. */
const KNOWN_ERRORS: ReadonlySet<string> = new Set([
  ...[
    'AccessDenied',
    'ExpiredToken',
    'ExpiredTokenException',
    'MalformedPolicyDocument',
    'PackedPolicyTooLarge',
    'RegionDisabledException',
  ],
  ...['InvalidClientTokenId', 'SignatureDoesNotMatch', 'IncompleteSignature', 'RequestExpired', 'Throttling', 'ThrottlingException'],
  ...['ValidationError', 'InvalidParameterValue', 'OptInRequired', 'ServiceUnavailable', 'InternalFailure'],
]);

function readAnswer(endpoint: string, answer: TokenAnswer, at: number): DerivedToken {
  if (answer.status !== 200) {
    const code = element(answer.body, 'Code');
    throw refused(endpoint, answer, code !== undefined && KNOWN_ERRORS.has(code) ? code : undefined);
  }
  const credentials = /<AssumeRoleResponse[\s>][\s\S]*?<Credentials>([\s\S]*?)<\/Credentials>/.exec(answer.body)?.[1] ?? '';
  const [id, secret, token] = ['AccessKeyId', 'SecretAccessKey', 'SessionToken'].map((name) => element(credentials, name));
  if (id === undefined || secret === undefined || token === undefined) throw unusable(endpoint, 'gave no credentials');
  return {
    values: { access_key_id: new Secret(id), secret_access_key: new Secret(secret), session_token: new Secret(token) },
    lifeMs: lifeUntil(endpoint, element(credentials, 'Expiration'), answer, at),
  };
}

/** The text of an element without markup in it, in characters that credentials, instants and codes have. */
function element(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>\\s*([\\w+/=:.-]{1,8192})\\s*</${name}>`).exec(xml)?.[1];
}
