/**
 * The published vectors of Signature Version 4: AWS's signing test suite, and the examples of the Amazon S3 API reference. Requests that this
 * proxy refuses before they are signed (dot segments, folded headers) are left out.
 */
import test from 'ava';
import { canonicalRequest, EMPTY_HASH, contentHash, stringToSign } from '../../../../src/inject/sigv4/signature.ts';
import { Signers } from '../../../../src/inject/sigv4/signer.ts';
import { HeaderList } from '../../../../src/message/header-list.ts';

interface Vector {
  readonly name: string;
  readonly method?: string;
  /** As a client writes it on the wire. */
  readonly target?: string;
  readonly headers?: readonly string[];
  readonly body?: string;
  readonly signedHeaders?: string;
  readonly pathStyle?: 'encoded-once';
  readonly signature: string;
}

const SUITE_DATE = '20150830T123600Z';
const SUITE_KEY = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
const TOKEN = '6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267';
const UNRESERVED = '-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const presigned = (expires: string, ...more: readonly string[]): string =>
  [
    'X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fservice%2Faws4_request',
    `X-Amz-Date=${SUITE_DATE}&X-Amz-SignedHeaders=host&X-Amz-Expires=${expires}`,
    ...more,
  ].join('&');

const SUITE: readonly Vector[] = [
  { name: 'get-vanilla', signature: '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31' },
  {
    name: 'get-vanilla-empty-query-key',
    target: '/?Param1=value1',
    signature: 'a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb',
  },
  {
    name: 'get-vanilla-query-order-key-case',
    target: '/?Param2=value2&Param1=value1',
    signature: 'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
  },
  {
    name: 'get-vanilla-query-order-encoded',
    target: '/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1',
    signature: '371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac',
  },
  {
    name: 'get-vanilla-query-unreserved',
    target: `/?${UNRESERVED}=${UNRESERVED}`,
    signature: '9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197',
  },
  {
    name: 'get-vanilla-utf8-query',
    target: '/?%E1%88%B4=bar',
    signature: '2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04',
  },
  { name: 'get-unreserved', target: `/${UNRESERVED}`, signature: '07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f' },
  { name: 'get-slash', target: '//', signature: '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31' },
  { name: 'get-slashes', target: '//example//', signature: '9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84' },
  {
    name: 'get-header-key-duplicate',
    headers: ['My-Header1', 'value2', 'My-Header1', 'value2', 'My-Header1', 'value1'],
    signedHeaders: 'host;my-header1;x-amz-date',
    signature: 'c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea',
  },
  {
    name: 'get-header-value-order',
    headers: ['My-Header1', 'value4', 'My-Header1', 'value1', 'My-Header1', 'value3', 'My-Header1', 'value2'],
    signedHeaders: 'host;my-header1;x-amz-date',
    signature: '08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01',
  },
  {
    name: 'get-header-value-trim',
    headers: ['My-Header1', ' value1', 'My-Header2', ' "a   b   c"'],
    signedHeaders: 'host;my-header1;my-header2;x-amz-date',
    signature: 'acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736',
  },
  {
    name: 'get-vanilla-with-session-token',
    headers: ['X-Amz-Security-Token', TOKEN],
    signedHeaders: 'host;x-amz-date;x-amz-security-token',
    signature: '07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8',
  },
  // The suite writes these with octets that a request line cannot carry, or with its normalisation switched off.
  {
    name: 'get-utf8',
    target: '/%E1%88%B4',
    pathStyle: 'encoded-once',
    signature: '8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85',
  },
  {
    name: 'get-space',
    target: '/example%20space/',
    pathStyle: 'encoded-once',
    signature: '652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741',
  },
  {
    name: 'get-slashes-unnormalized',
    target: '//example//',
    pathStyle: 'encoded-once',
    signature: '87cca117541a147f6df867677d98a7d80dff226d2bfca9e4ffa899665623c7e5',
  },
  { name: 'post-vanilla', method: 'POST', signature: '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b' },
  {
    name: 'post-vanilla-query',
    method: 'POST',
    target: '/?Param1=value1',
    signature: '28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11',
  },
  {
    name: 'post-header-key-sort',
    method: 'POST',
    headers: ['My-Header1', 'value1'],
    signedHeaders: 'host;my-header1;x-amz-date',
    signature: 'c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c',
  },
  {
    name: 'post-x-www-form-urlencoded (of the first edition of the suite)',
    method: 'POST',
    headers: ['Content-Type', 'application/x-www-form-urlencoded'],
    body: 'Param1=value1',
    signedHeaders: 'content-type;host;x-amz-date',
    signature: 'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
  },
];

const PRESIGNED: readonly Vector[] = [
  {
    name: 'get-vanilla-query-unreserved',
    target: `/?${UNRESERVED}=${UNRESERVED}&${presigned('3600')}`,
    signature: '8e76a88a7433637b12778d5592799b29ad21ecd6cf6325051c21d86f0acda2bf',
  },
  {
    name: 'get-vanilla-utf8-query',
    target: `/?%E1%88%B4=bar&${presigned('3600')}`,
    signature: '0bdd809b1519ac4f0c1dc3540e2cc46bd0c7f778eda408b2ebf3b913d21ff600',
  },
];

for (const vector of SUITE) {
  test(`${vector.name}: the signature of the header`, (t) => {
    const signed = sign(vector, ['X-Amz-Date', SUITE_DATE]);
    t.is(signed.signature, vector.signature, signed.text);
    t.is(signed.signedHeaders, vector.signedHeaders ?? 'host;x-amz-date');
  });
}

for (const vector of PRESIGNED) {
  test(`${vector.name}: the signature of the query`, (t) => {
    const signed = sign(vector, []);
    t.is(signed.signature, vector.signature, signed.text);
  });
}

function sign(vector: Vector, more: readonly string[]) {
  const [path = '/', query] = (vector.target ?? '/').split('?');
  const request = canonicalRequest({
    method: vector.method ?? 'GET',
    host: 'example.amazonaws.com',
    path,
    query,
    headers: new HeaderList([...(vector.headers ?? []), ...more]),
    isSigned: () => true,
    pathStyle: vector.pathStyle ?? 'encoded-twice',
    payload: contentHash(Buffer.from(vector.body ?? '')),
  });
  return { ...request, signature: signatureOf(SUITE_KEY, { region: 'us-east-1', service: 'service' }, SUITE_DATE, request.text) };
}

function signatureOf(key: typeof SUITE_KEY, scope: { region: string; service: string }, date: string, canonical: string): string {
  const signer = new Signers(key).forRegion(scope);
  const day = date.slice(0, 8);
  return signer.sign(day, stringToSign(signer.algorithm, date, signer.scope(day), canonical));
}

const S3_DATE = '20130524T000000Z';
const S3_KEY = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };

const S3: readonly (Vector & { readonly payload: string })[] = [
  {
    name: 'GET object',
    target: '/test.txt',
    headers: ['Range', 'bytes=0-9', 'X-Amz-Content-Sha256', EMPTY_HASH, 'X-Amz-Date', S3_DATE],
    payload: EMPTY_HASH,
    signature: 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  },
  {
    name: 'PUT object',
    method: 'PUT',
    target: '/test$file.text',
    headers: [
      ...['Date', 'Fri, 24 May 2013 00:00:00 GMT', 'X-Amz-Date', S3_DATE, 'X-Amz-Storage-Class', 'REDUCED_REDUNDANCY'],
      ...['X-Amz-Content-Sha256', '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072'],
    ],
    payload: '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
    signature: '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
  },
  {
    name: 'GET bucket lifecycle: a parameter without a value',
    target: '/?lifecycle',
    headers: ['X-Amz-Content-Sha256', EMPTY_HASH, 'X-Amz-Date', S3_DATE],
    payload: EMPTY_HASH,
    signature: 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
  },
  {
    name: 'GET bucket: list objects',
    target: '/?max-keys=2&prefix=J',
    headers: ['X-Amz-Content-Sha256', EMPTY_HASH, 'X-Amz-Date', S3_DATE],
    payload: EMPTY_HASH,
    signature: '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  },
  {
    name: 'presigned GET',
    target: [
      '/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request',
      '&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host',
    ].join(''),
    payload: 'UNSIGNED-PAYLOAD',
    signature: 'aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
  },
];

for (const vector of S3) {
  test(`the reference of S3, ${vector.name}`, (t) => {
    const [path = '/', query] = (vector.target ?? '').split('?');
    const { text } = canonicalRequest({
      method: vector.method ?? 'GET',
      host: 'examplebucket.s3.amazonaws.com',
      path,
      query,
      headers: new HeaderList([...(vector.headers ?? [])]),
      isSigned: () => true,
      pathStyle: 'encoded-once',
      payload: vector.payload,
    });
    t.is(signatureOf(S3_KEY, { region: 'us-east-1', service: 's3' }, S3_DATE, text), vector.signature, text);
  });
}
