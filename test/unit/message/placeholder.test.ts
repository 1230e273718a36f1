import test from 'ava';
import { findPlaceholders } from '../../../src/message/placeholder.ts';
import { canonicalUrl } from '../../../src/message/url.ts';
import { headers } from '../../support/headers.ts';

const ID = '0b8f5a2e-6c1d-4f3a-9b7e-2d4c6e8f0a1b';
const OTHER = '1b8f5a2e-6c1d-4f3a-9b7e-2d4c6e8f0a1b';
const SLOT = `alter_grant_${ID}`;
const basic = (pair: string): string => `Basic ${Buffer.from(pair).toString('base64')}`;

function places(target: string, ...lines: string[]): string[] {
  return findPlaceholders(headers(...lines), canonicalUrl(target)).map(({ grantId, place }) => `${place} ${grantId}`);
}

test('a request without a placeholder has none', (t) => {
  t.deepEqual(places('/v1?key=alternative&q=alter_grant_', 'Authorization: Bearer sk', `Authorization: ${basic('u:p')}`), []);
});

test('a placeholder is found in any header, whatever stands around it', (t) => {
  t.deepEqual(places('/', `Authorization: Bearer ${SLOT}`), [`header:authorization ${ID}`]);
  t.deepEqual(places('/', `X-Api-Key: ${SLOT}`), [`header:x-api-key ${ID}`]);
  t.deepEqual(places('/', `Authorization: AWS4-HMAC-SHA256 Credential=${SLOT}/20260101/us-east-1/s3/aws4_request`), [
    `header:authorization ${ID}`,
  ]);
});

test('the id comes out in lower case', (t) => {
  t.deepEqual(places('/', `X-Api-Key: alter_grant_${ID.toUpperCase()}`), [`header:x-api-key ${ID}`]);
});

test('a placeholder is found in Basic credentials, as user and as password', (t) => {
  t.deepEqual(places('/', `Authorization: ${basic(`${SLOT}:`)}`), [`header:authorization ${ID}`]);
  t.deepEqual(places('/', `authorization: ${basic(`me@example.com/token:${SLOT}`)}`), [`header:authorization ${ID}`]);
});

test('a placeholder is found in the query, by the decoded name, and in the path', (t) => {
  t.deepEqual(places(`/?a=1&api%5Fkey=${SLOT}`), [`query:api_key ${ID}`]);
  t.deepEqual(places(`/?key=alter%5Fgrant%5F${ID}`), [`query:key ${ID}`]);
  t.deepEqual(places(`/?${SLOT}`), [`query:${SLOT} ${ID}`]);
  t.deepEqual(places(`/bot${SLOT}/getMe`), [`path ${ID}`]);
  t.deepEqual(places(`/bot%61lter_grant_${ID}/getMe`), [`path ${ID}`]);
});

test('every placeholder is found, so that one left behind is noticed', (t) => {
  t.deepEqual(places(`/${SLOT}?k=${SLOT}`, `A: ${SLOT},alter_grant_${OTHER}`, `B: ${SLOT}`), [
    `header:a ${ID}`,
    `header:a ${OTHER}`,
    `header:b ${ID}`,
    `query:k ${ID}`,
    `path ${ID}`,
  ]);
});

test('the prefix without a UUID is ordinary text', (t) => {
  t.deepEqual(places('/?q=alter_grant_table', 'A: alter_grant_', `B: alter_grant_${ID.slice(1)}`, `C: alter-grant-${ID}`, `D: ${ID}`), []);
  t.deepEqual(places('/', `A: alter_grant_${SLOT}`), [`header:a ${ID}`]);
});
