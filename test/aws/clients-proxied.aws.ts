/**
 * The same clients behind the proxy: their key is a grant, their secret is a word, and what arrives is signed with the real key. The
 * verifier has never heard of grants.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { declareClients } from './support/declare-clients.ts';
import { allVerified } from './support/expectations.ts';
import { AWS_HOSTS } from './support/hosts.ts';
import { startProxied, type Proxied } from './support/proxied.ts';
import { REAL, startVerifyingOrigin, type VerifyingOrigin } from './support/verifying-origin.ts';

let folder: string;
let origin: VerifyingOrigin;
let proxied: Proxied;
const stops: (() => Promise<void>)[] = [];

test.before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'alter-aws-'));
  stops.push(() => rm(folder, { recursive: true, force: true }));
  origin = await startVerifyingOrigin(folder);
  stops.push(origin.stop);
  proxied = await startProxied({ hosts: Object.fromEntries(AWS_HOSTS.map((host) => [host, origin.port])), caFile: origin.caFile });
  stops.push(proxied.stop);
});

test.after.always(async () => {
  for (const stop of stops.reverse()) await stop();
});

declareClients('proxied', () => ({ route: proxied.route, origin }));

test.serial('proxied: secret test asks STS who the key is, signed', async (t) => {
  const from = origin.seen.length;
  const ran = await proxied.cli(['secret', 'test', 'aws']);
  t.is(ran.code, 0, ran.stdout + ran.stderr);
  t.regex(ran.stdout, /^Works: GET https:\/\/sts\.us-east-1\.amazonaws\.com\/ answered 200/);
  t.deepEqual(
    allVerified(t, origin, from).map(({ service, region }) => [service, region]),
    [['sts', 'us-east-1']],
  );
  await origin.set({ secret_key: 'another/secret+key/of/40/characters/aaaaa' });
  const refused = await proxied.cli(['secret', 'test', 'aws']);
  await origin.set({ secret_key: REAL.secret_key });
  t.is(refused.code, 5, refused.stdout + refused.stderr);
  t.regex(refused.stdout, /^Refused: .* answered 403/);
});

test.after('nothing of a grant or of its secret has reached the verifier', (t) => {
  t.notRegex(JSON.stringify(origin.seen), /alter_grant|any-secret|x-alter/i);
});
