/**
 * Contract: with `limits.body_spool_bytes`, a body that AWS wants signed whole and that is too large for memory goes to an encrypted file without
 * a name, and from there to the API, as often as needed. Memory stays flat, and no file stays open, however the exchange ends.
 */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import type { TLSSocket } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import aws4 from 'aws4';
import { AlterError } from '../../src/errors.ts';
import type { Draft } from '../../src/inject/injector.ts';
import type { ProviderTemplate } from '../../src/providers/template.ts';
import { openTls, problemCode, requestThrough, type ClientAnswer } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import type { RecordedRequest } from '../support/origin.ts';
import { memoryRise, startProxyProcess } from '../support/proxy-process.ts';
import { startScene, type Scene } from '../support/scene.ts';
import { startServed, type Served, type ServedOptions } from '../support/served.ts';

const MIB = 1024 * 1024;
const IN_MEMORY = 100_000;
const KEY = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
const HOUR_MS = 3_600_000;

const template: ProviderTemplate = {
  slug: 'signed',
  name: 'Signed',
  category: 'test',
  hosts: ['localhost'],
  fields: { id: { label: 'id', secret: false }, key: { label: 'key', secret: true } },
  inject: [{ kind: 'sigv4', accessKeyId: '{id}', secretAccessKey: '{key}', maxBytes: IN_MEMORY }],
  confidence: 'high',
};

/** An API whose clock is an hour ahead, where the path says so. */
function handler(message: IncomingMessage, response: ServerResponse): boolean {
  if (message.url?.startsWith('/skewed') !== true) return false;
  const there = Date.now() + HOUR_MS;
  const date = String(message.headers['x-amz-date']).replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z');
  const late = Date.parse(date) < there - HOUR_MS / 4;
  const hash = createHash('sha256');
  message.on('data', (chunk: Buffer) => hash.update(chunk));
  message.once('end', () => {
    response.writeHead(late ? 403 : 200, { Date: new Date(there).toUTCString() });
    response.end(late ? 'RequestTimeTooSkewed' : hash.digest('hex'));
  });
  return true;
}

const folder = mkdtempSync(path.join(os.tmpdir(), 'alter-proxy-spool-'));
let scene: Scene;
let grant: string;
test.before(async () => {
  const limits = { body_spool_bytes: 64 * MIB, body_spool_folder: folder };
  scene = await startScene({ origin: { handler }, config: { limits } });
  await scene.proxy.administration.addProvider(template);
  grant = await scene.grant({ provider: template.slug, fields: { id: KEY.accessKeyId, key: KEY.secretAccessKey } });
});
test.after.always(async () => {
  await scene.stop();
  rmSync(folder, { recursive: true, force: true });
});

const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

const signedForSqs = (named = grant): readonly string[] => [
  ...['X-Amz-Date', '20200101T000000Z', 'Authorization'],
  `AWS4-HMAC-SHA256 Credential=alter_grant_${named}/20200101/eu-central-1/sqs/aws4_request, SignedHeaders=host;x-amz-date, Signature=00`,
];

const put = (target: string, body: Buffer, framing: readonly string[]): Promise<ClientAnswer> =>
  requestThrough(scene.proxy, { url: `${scene.origin.url}${target}`, method: 'PUT', headers: [...signedForSqs(), ...framing], body });

/** The signature that aws4 makes over what arrived. */
function expected({ method, url, rawHeaders, headers }: RecordedRequest, body: Buffer): string | undefined {
  const names = /SignedHeaders=([^,]+),/.exec(headers.authorization ?? '')?.[1]?.split(';') ?? [];
  const fields = rawHeaders.flatMap((name, i) =>
    i % 2 === 0 && names.includes(name.toLowerCase()) ? [[name, rawHeaders[i + 1] ?? '']] : [],
  );
  const ignored = { 'content-length': true, 'content-type': !names.includes('content-type') };
  const place = { host: scene.authority, method, path: url, service: 'sqs', region: 'eu-central-1' };
  const request = { ...place, headers: Object.fromEntries(fields) as Record<string, string>, body, extraHeadersToIgnore: ignored };
  return aws4.sign(request, KEY).headers['Authorization'];
}

/** The descriptors of this process that are files in the folder, with or without a name there. */
function openFiles(place = folder): string[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(`${place}/`) ? [`/proc/self/fd/${fd}`] : [];
    } catch {
      return [];
    }
  });
}

async function allClosed(t: ExecutionContext, place = folder): Promise<void> {
  await eventually(() => (openFiles(place).length === 0 ? true : undefined), 'every file closed');
  t.deepEqual(readdirSync(place), []);
}

test.serial('40 MiB arrive whole, with their length and the right signature, whatever their framing was', async (t) => {
  const body = randomBytes(40 * MIB);
  for (const framing of [
    ['Content-Length', String(body.length)],
    ['Transfer-Encoding', 'chunked'],
  ]) {
    const answer = await put('/queue', body, framing);
    t.is(answer.status, 200);
    const arrived = scene.origin.requests.at(-1);
    t.is(arrived?.bodySha256, sha256(body));
    t.is(arrived?.headers['content-length'], String(body.length));
    t.is(arrived?.headers['transfer-encoding'], undefined);
    t.is(arrived?.headers.authorization, arrived && expected(arrived, body));
    t.like(await scene.proxy.eventOf(answer), { outcome: 'success', bytesIn: body.length, retries: 0 });
    await allClosed(t);
  }
});

test.serial('a form that a rule looked at before goes there whole', async (t) => {
  const rules = [{ kind: 'aws', actions: ['sqs:*'], mode: 'warn' as const }];
  const looked = await scene.grant({ provider: template.slug, fields: { id: KEY.accessKeyId, key: KEY.secretAccessKey } });
  await scene.proxy.administration.setPolicy({ at: 'grant', grant: looked }, rules);
  const body = randomBytes(3 * MIB);
  const headers = [...signedForSqs(looked), 'Content-Type', 'application/x-www-form-urlencoded', 'Transfer-Encoding', 'chunked'];
  const answer = await requestThrough(scene.proxy, { url: `${scene.origin.url}/queue`, method: 'POST', headers, body });
  t.is(answer.status, 200);
  const arrived = scene.origin.requests.at(-1);
  t.is(arrived?.bodySha256, sha256(body));
  t.is(arrived?.headers.authorization, arrived && expected(arrived, body));
  await allClosed(t);
});

test.serial('a clock that was wrong: the same body leaves a second time', async (t) => {
  const body = randomBytes(3 * MIB);
  const answer = await put('/skewed', body, ['Transfer-Encoding', 'chunked']);
  t.is(`${String(answer.status)} ${answer.body}`, `200 ${sha256(body)}`);
  t.like(await scene.proxy.eventOf(answer), { outcome: 'success', retries: 1, bytesIn: body.length });
  await allClosed(t);
});

test.serial('above the largest file nothing leaves', async (t) => {
  const before = scene.origin.requests.length;
  const body = Buffer.alloc(64 * MIB + 1);
  for (const framing of [
    ['Content-Length', String(body.length)],
    ['Transfer-Encoding', 'chunked'],
  ]) {
    const answer = await put('/queue', body, framing);
    t.is(problemCode(answer), 'body_too_large_to_sign');
    t.is(answer.status, 413);
    await allClosed(t);
  }
  t.is(scene.origin.requests.length, before);
});

/** A proxy with a rule that signs the hash. */
async function served(t: ExecutionContext, options: Partial<ServedOptions> = {}): Promise<{ running: Served; place: string }> {
  const place = mkdtempSync(path.join(os.tmpdir(), 'alter-proxy-spool-'));
  const apply = async (draft: Draft): Promise<void> => {
    draft.headers.set('X-Body-Hash', (await draft.body?.digest('sha256', IN_MEMORY)) ?? 'none');
  };
  const bodySpool = { maxBytes: 256 * MIB, folder: place, ciphered: () => undefined };
  const running = await startServed({ injection: { readsBody: true, apply }, bodySpool, ...options });
  t.teardown(async () => {
    await running.stop();
    rmSync(place, { recursive: true, force: true });
  });
  return { running, place };
}

async function begin(running: Served, length: number, target = '/echo'): Promise<TLSSocket> {
  const authority = `localhost:${String(running.origin.port)}`;
  const client = await openTls(running.proxy, authority);
  client.on('error', () => undefined);
  client.write(`PUT ${target} HTTP/1.1\r\nHost: ${authority}\r\nContent-Length: ${String(length)}\r\n\r\n`);
  return client;
}

async function send(client: TLSSocket, piece: Buffer, times: number): Promise<void> {
  for (let i = 0; i < times; i += 1) if (!client.write(piece)) await once(client, 'drain');
}

/** What stands on the disk, once there is something. */
async function onDisk(place: string): Promise<Buffer> {
  return eventually(async () => {
    const [name] = openFiles(place);
    if (name === undefined) return undefined;
    const file = await open(name);
    try {
      const content = await file.readFile();
      return content.length >= MIB ? content : undefined;
    } finally {
      await file.close();
    }
  }, 'a file with content');
}

test.serial('the file has no name and holds nothing of the plaintext while the client uploads', async (t) => {
  const { running, place } = await served(t);
  const marker = Buffer.from('a secret line of the client, again and again.\n');
  const piece = Buffer.concat([...Array(5000)].map(() => marker));
  const client = await begin(running, piece.length * 20);
  await send(client, piece, 10);
  if (process.platform === 'linux') {
    const content = await onDisk(place);
    t.false(content.includes('a secret line'));
    t.true(new Set(content.subarray(0, 4096)).size > 200, 'no pattern');
    t.is(openFiles(place).length, 1);
  }
  t.deepEqual(readdirSync(place), []);
  t.is(running.origin.requests.length, 0, 'nothing leaves before the hash is known');
  await send(client, piece, 10);
  await running.origin.until(() => running.origin.requests.at(-1)?.complete === true);
  const arrived = running.origin.requests.at(-1);
  t.is(arrived?.headers['x-body-hash'], arrived?.bodySha256);
  t.like(await running.event(), { outcome: 'success', bytesIn: piece.length * 20 });
  await allClosed(t, place);
  client.destroy();
});

test.serial('a client that leaves midway, and a grant that ends', async (t) => {
  const { running, place } = await served(t);
  const piece = randomBytes(256 * 1024);
  const gone = await begin(running, 100 * MIB);
  await send(gone, piece, 20);
  if (process.platform === 'linux') await onDisk(place);
  gone.destroy();
  t.like(await running.event(), { outcome: 'aborted', injected: [] });
  await allClosed(t, place);

  const revoked = await begin(running, 100 * MIB);
  await send(revoked, piece, 20);
  const use = await eventually(() => [...running.uses][0], 'a use under way');
  use.interrupt(new AlterError('grant_revoked'));
  t.like(await running.event(), { outcome: 'interrupted', code: 'grant_revoked', injected: [] });
  await allClosed(t, place);
  revoked.destroy();
  t.is(running.origin.requests.length, 0);
  t.is(running.bodyMemory.used, 0);
});

test.serial('an API that answers before the end, and one that hangs up', async (t) => {
  const { running, place } = await served(t, {
    origin: {
      handler: (message, response) => {
        if (message.url === '/early') response.writeHead(403).end('no');
        else message.socket.destroy();
        return true;
      },
    },
  });
  const body = randomBytes(20 * MIB);
  for (const target of ['/early', '/hangs-up']) {
    const answer = await requestThrough(running.proxy, { url: `${running.origin.url}${target}`, method: 'PUT', body });
    t.is(answer.status, target === '/early' ? 403 : 502);
    await running.event();
    await allClosed(t, place);
  }
});

test.serial('a folder that is not there: nothing leaves', async (t) => {
  const { running } = await served(t, { bodySpool: { maxBytes: MIB, folder: path.join(folder, 'none'), ciphered: () => undefined } });
  for (const headers of [['Transfer-Encoding', 'chunked'], []]) {
    const answer = await requestThrough(running.proxy, {
      url: `${running.origin.url}/echo`,
      method: 'PUT',
      headers,
      body: Buffer.alloc(IN_MEMORY + 1),
    });
    t.is(answer.status, 503);
    t.is(problemCode(answer), 'body_spool_failed');
    t.false(answer.body.includes(folder), 'the client does not learn of folders');
    t.like(await running.event(), { code: 'body_spool_failed', injected: [] });
    t.is(running.bodyMemory.used, 0);
  }
  t.is(running.origin.requests.length, 0);
  const small = await requestThrough(running.proxy, { url: `${running.origin.url}/echo`, method: 'PUT', body: Buffer.alloc(IN_MEMORY) });
  t.is(small.status, 200);
});

test.serial('200 MiB raise the memory of the proxy by less than 32 MiB', async (t) => {
  const env = { ALTER_KEY: scene.proxy.key, ALTER_LIMITS_BODY_SPOOL_BYTES: String(256 * MIB) };
  const proxy = await startProxyProcess(scene.proxy.home, [], env);
  try {
    const piece = randomBytes(256 * 1024);
    const upload = async (pieces: number): Promise<number> => {
      const before = scene.origin.requests.length;
      const client = await openTls(proxy, scene.authority);
      const fields = ['PUT /queue HTTP/1.1', `Host: ${scene.authority}`, `Content-Length: ${String(pieces * piece.length)}`];
      for (const [i, name] of signedForSqs().entries()) if (i % 2 === 0) fields.push(`${name}: ${signedForSqs()[i + 1] ?? ''}`);
      client.write([...fields, '', ''].join('\r\n'));
      await send(client, piece, pieces);
      await scene.origin.until(() => scene.origin.requests[before]?.complete === true, 60_000);
      client.destroy();
      return scene.origin.requests[before]?.bodyBytes ?? 0;
    };
    // The first body pays for code and pools that every later one uses.
    await upload(64);
    const rise = await memoryRise(proxy, async () => {
      t.is(await upload(800), 800 * piece.length);
    });
    t.log(`memory rose by ${rise} MiB`);
    t.true(rise < 32, `memory rose by ${rise} MiB`);
  } finally {
    await proxy.stop();
  }
});

test.serial('unless it is switched on, there is no file', async (t) => {
  const { running, place } = await served(t, { bodySpool: undefined });
  const answer = await requestThrough(running.proxy, {
    url: `${running.origin.url}/echo`,
    method: 'PUT',
    body: Buffer.alloc(IN_MEMORY + 1),
  });
  t.is(problemCode(answer), 'body_too_large_to_sign');
  t.is((await running.event()).code, 'body_too_large_to_sign');
  t.is(running.origin.requests.length, 0);
  await allClosed(t, place);
});
