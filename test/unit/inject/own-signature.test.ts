/** Contract: whatever signs a request notes the signature, so that the answer can be kept from repeating it. */
import test from 'ava';
import type { Draft } from '../../../src/inject/injector.ts';
import type { InjectionRule } from '../../../src/providers/template.ts';
import { draft, injection } from '../../support/injection.ts';

const HMAC: InjectionRule = {
  kind: 'hmac',
  algorithm: 'sha256',
  key: '{secret}',
  keyEncoding: 'raw',
  message: '{nonce}',
  encoding: 'hex',
  headers: { 'X-Signature': '{signature}', 'X-Nonce': '{nonce}' },
  query: {},
};
const SIGV4: InjectionRule = {
  kind: 'sigv4',
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: '{secret}',
  region: 'eu-central-1',
  service: 's3',
};

async function signed(rules: readonly InjectionRule[], request: Draft): Promise<Draft> {
  await injection(rules, { secret: 'top-secret' }).apply(request);
  return request;
}

test('HMAC: each of several, as what all spellings of it have in common', async (t) => {
  const base64: InjectionRule = { ...HMAC, encoding: 'base64', headers: {}, query: { sig: '{signature}', n: '{nonce}' } };
  const request = await signed([HMAC, base64], draft('/'));
  const [hex = '', part = ''] = request.signatures ?? [];
  t.is(request.headers.get('x-signature'), hex);
  t.regex(part, /^[A-Za-z0-9]{6,}$/);
  const sent = new URLSearchParams(request.url.query).get('sig') ?? '';
  for (const spelling of [sent, encodeURI(sent), encodeURIComponent(sent), encodeURIComponent(encodeURIComponent(sent))])
    t.true(spelling.includes(part), spelling);
});

test('SigV4 in the header and in the query, and SigV4a', async (t) => {
  const signature = /Signature=([0-9a-f]+)/;
  const inHeader = await signed([SIGV4], draft('/'));
  t.deepEqual(inHeader.signatures, [signature.exec(inHeader.headers.get('authorization') ?? '')?.[1]]);
  const date = new Date().toISOString().slice(0, 19).replace(/[:-]/g, '');
  const own = `X-Amz-Credential=AKIA%2F${date.slice(0, 8)}%2Feu-central-1%2Fs3%2Faws4_request&X-Amz-Date=${date}Z`;
  const inQuery = await signed(
    [SIGV4],
    draft(`/?X-Amz-Algorithm=AWS4-HMAC-SHA256&${own}&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=00`),
  );
  t.deepEqual(inQuery.signatures, [signature.exec(inQuery.url.query ?? '')?.[1]]);
  const origin = { scheme: 'https', host: 'm1.mrap.accesspoint.s3-global.amazonaws.com', port: 443 } as const;
  const { region: _, ...anyRegion } = SIGV4;
  const regions = await signed([anyRegion], { ...draft('/'), origin });
  t.regex(regions.headers.get('authorization') ?? '', /^AWS4-ECDSA/);
  t.deepEqual(regions.signatures, [signature.exec(regions.headers.get('authorization') ?? '')?.[1]]);
});
