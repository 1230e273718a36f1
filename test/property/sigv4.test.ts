/**
 * The signatures of this proxy and those of aws4, an implementation of its own, are the same wherever both have one reading of a request: aws4
 * takes fields as an object, keeps one value of a parameter for S3, and reads `+` in a path as a space.
 */
import test from 'ava';
import aws4 from 'aws4';
import fc from 'fast-check';
import { canonicalHeaders, canonicalQuery, recode } from '../../src/inject/sigv4/canonical.ts';
import { contentHash } from '../../src/inject/sigv4/signature.ts';
import { signHead } from '../../src/inject/sigv4/sign-head.ts';
import { signQuery } from '../../src/inject/sigv4/sign-query.ts';
import { Signers, type AccessKey } from '../../src/inject/sigv4/signer.ts';
import { HeaderList } from '../../src/message/header-list.ts';
import { canonicalUrl } from '../../src/message/url.ts';

const AT = Date.UTC(2025, 10, 25, 12);
const AMZ_DATE = '20251125T120000Z';
const key = fc.record({
  accessKeyId: fc.stringMatching(/^[A-Z0-9]{16,20}$/),
  secretAccessKey: fc.string({ minLength: 1, maxLength: 40 }),
  sessionToken: fc.option(fc.stringMatching(/^[A-Za-z0-9+/=]{1,40}$/), { nil: undefined }),
});
const text = fc.string({
  unit: fc.oneof(fc.constantFrom(..."ab /~-._!()*'$&=,;:@%?#ü漢"), fc.string({ minLength: 1, maxLength: 1 })),
  maxLength: 8,
});
const encode = encodeURIComponent;
const segment = text.map(encode).filter((own) => own !== '.' && own !== '..');
const path = fc.array(segment, { maxLength: 4 }).map((parts) => `/${parts.join('/')}`);
const parameters = fc.uniqueArray(
  fc.tuple(
    text.filter((name) => name !== ''),
    text,
  ),
  { maxLength: 4, selector: ([name]) => name },
);
const request = fc.record({
  method: fc.constantFrom('GET', 'PUT', 'POST', 'DELETE'),
  path,
  parameters,
  meta: fc.dictionary(fc.stringMatching(/^x-amz-meta-[a-z]{1,5}$/), fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/), { maxKeys: 3 }),
  body: fc.string({ maxLength: 20 }),
  service: fc.constantFrom('s3', 'dynamodb', 'execute-api'),
});

/** Paths that the proxy takes as they are; it refuses dot segments, and decodes what need not be encoded. */
function wirePath(raw: string): string | undefined {
  try {
    return canonicalUrl(raw).path;
  } catch {
    return undefined;
  }
}

const queryOf = (pairs: readonly (readonly [string, string])[]): string =>
  pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&');

test('a signature in the header is that of aws4', (t) => {
  let compared = 0;
  fc.assert(
    fc.property(key, request, (accessKey, { method, path: raw, parameters: pairs, meta, body, service }) => {
      const own = wirePath(raw);
      if (own === undefined || own === '//') return;
      compared += 1;
      const host = `${service}.eu-central-1.amazonaws.com`;
      const query = pairs.length === 0 ? undefined : queryOf(pairs);
      const headers = new HeaderList([...Object.entries(meta).flat(), 'Content-Type', 'text/plain']);
      const hash = contentHash(Buffer.from(body, 'utf8'));
      const signer = new Signers(accessKey).forRegion({ region: 'eu-central-1', service });
      const url = { path: own, query };
      signHead({ method, origin: { scheme: 'https', host, port: 443 }, url, headers }, accessKey, signer, {
        payload: hash,
        namesPayload: service === 's3',
        pathStyle: service === 's3' ? 'encoded-once' : 'encoded-twice',
        at: AT,
      });
      const target = query === undefined ? own : `${own}?${query}`;
      const fields = { ...meta, Host: host, 'X-Amz-Date': AMZ_DATE, ...(service === 's3' ? { 'X-Amz-Content-Sha256': hash } : {}) };
      const theirs = {
        host,
        method,
        path: target,
        service,
        region: 'eu-central-1',
        headers: { ...fields, 'Content-Type': 'text/plain' },
        body,
      };
      t.is(headers.get('authorization'), authorizationOfAws4({ ...theirs, extraHeadersToIgnore: { 'content-length': true } }, accessKey));
    }),
    { numRuns: 400 },
  );
  t.true(compared > 100);
});

function authorizationOfAws4(request: Parameters<typeof aws4.sign>[0], { sessionToken, ...pair }: AccessKey): string | undefined {
  return aws4.sign(request, { ...pair, ...(sessionToken === undefined ? {} : { sessionToken }) }).headers['Authorization'];
}

test('a presigned URL has the signature of aws4', (t) => {
  fc.assert(
    fc.property(key, path, parameters, (accessKey, raw, pairs) => {
      const own = wirePath(raw);
      if (own === undefined || pairs.some(([name]) => name.toLowerCase().startsWith('x-amz-'))) return;
      const host = 'bucket.s3.eu-central-1.amazonaws.com';
      const signer = new Signers(accessKey).forRegion({ region: 'eu-central-1', service: 's3' });
      const client = { form: 'query', algorithm: 'hmac', service: 's3', region: 'eu-central-1', regionSet: undefined } as const;
      const signed = signQuery(
        {
          method: 'GET',
          origin: { scheme: 'https', host, port: 443 },
          url: { path: own, query: queryOf(pairs) },
          headers: new HeaderList(),
        },
        { ...client, signedHeaders: ['host'], signedAt: AT, expiresS: 60 },
        accessKey,
        signer,
        { payload: 'UNSIGNED-PAYLOAD', pathStyle: 'encoded-once', at: AT, expiresS: 60 },
      );
      const query = [queryOf(pairs), `X-Amz-Expires=60&X-Amz-Date=${AMZ_DATE}`].filter((part) => part !== '').join('&');
      const { sessionToken, ...pair } = accessKey;
      const other = aws4.sign(
        { host, method: 'GET', path: `${own}?${query}`, service: 's3', region: 'eu-central-1', headers: { Host: host }, signQuery: true },
        { ...pair, ...(sessionToken === undefined ? {} : { sessionToken }) },
      );
      const signatureIn = (where: string | undefined): string | undefined => /X-Amz-Signature=(\w+)/.exec(where ?? '')?.[1];
      t.is(signatureIn(signed.url.query), signatureIn(other.path));
      t.is(signatureIn(other.path), signed.signature);
    }),
    { numRuns: 400 },
  );
});

test('the canonical request has the octets of a field, and only spaces and tabs of it are white space', (t) => {
  const octet = fc.oneof(fc.integer({ min: 0x80, max: 0xff }), fc.constantFrom(0x20, 0x09, 0x61)).map((code) => String.fromCharCode(code));
  fc.assert(
    fc.property(fc.string({ unit: octet, maxLength: 12 }), (value) => {
      const { lines } = canonicalHeaders(new HeaderList(['X-Amz-Meta-Title', value]), 'host', () => true);
      const words = value.split(/[ \t]+/).filter((word) => word !== '');
      t.is(lines, `host:host\nx-amz-meta-title:${words.join(' ')}\n`);
    }),
    { examples: [['voil\xc3\xa0'], ['\xa0 a']] },
  );
});

test('every spelling of a query that a form decoder reads alike has one canonical form', (t) => {
  const spelled = fc.array(fc.tuple(text, text, fc.boolean()), { maxLength: 4 });
  fc.assert(
    fc.property(spelled, (pairs) => {
      const strict = pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`);
      const lax = pairs.map(([name, value, plus]) => {
        const escaped = `${encode(name)}=${encode(value)}`;
        return plus ? escaped.replaceAll('%20', '+').replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase()) : escaped;
      });
      t.is(canonicalQuery(lax.reverse().join('&')), canonicalQuery(strict.join('&')));
    }),
  );
});

test('to write a component anew is to write it once and for all', (t) => {
  fc.assert(
    fc.property(text, (own) => {
      const once = recode(encode(own));
      t.is(recode(once), once);
      t.is(decodeURIComponent(once), own);
      t.regex(once, /^(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})*$/);
    }),
  );
});
