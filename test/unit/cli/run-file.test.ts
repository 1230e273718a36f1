/** A proxy is found by its run file only while its process lives and answers. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { dialHost, findRunningProxy, isAlive, readRunFile, removeRunFile, writeRunFile, type RunFile } from '../../../src/cli/run-file.ts';

/** Larger than any process id of Linux (2^22) and macOS. */
const NO_PROCESS = 2 ** 30;

function runDir(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'alter-run-file-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return join(folder, 'run');
}

function runFile(changes: Partial<RunFile> = {}): RunFile {
  return {
    pid: process.pid,
    host: '127.0.0.1',
    port: 7890,
    adminHost: null,
    adminPort: null,
    startedAt: '2026-01-01T00:00:00.000Z',
    ...changes,
  };
}

async function listen(t: ExecutionContext, server: ReturnType<typeof createServer>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('what is written is read back, and only the owner may read it', (t) => {
  const folder = runDir(t);
  writeRunFile(folder, runFile());
  t.deepEqual(readRunFile(folder), runFile());
  t.is(statSync(join(folder, 'proxy.json')).mode & 0o777, 0o600);
  t.is(statSync(folder).mode & 0o777, 0o700);
});

for (const text of [
  '',
  '{',
  'null',
  '[]',
  '{"pid":1}',
  JSON.stringify(runFile({ port: 0 })),
  JSON.stringify(runFile({ pid: -1 })),
  JSON.stringify(runFile({ adminPort: 1 })),
]) {
  test(`a run file that makes no sense is none: ${text}`, (t) => {
    const folder = runDir(t);
    writeRunFile(folder, runFile());
    writeFileSync(join(folder, 'proxy.json'), text);
    t.is(readRunFile(folder), undefined);
  });
}

test('no run file is no proxy', async (t) => {
  t.is(readRunFile(runDir(t)), undefined);
  t.is(await findRunningProxy(runDir(t)), undefined);
});

test('a process removes only its own run file', (t) => {
  const folder = runDir(t);
  writeRunFile(folder, runFile({ pid: process.pid }));
  removeRunFile(folder, process.pid + 1);
  t.not(readRunFile(folder), undefined);
  removeRunFile(folder, process.pid);
  t.is(readRunFile(folder), undefined);
});

test('a living process that accepts connections is a running proxy', async (t) => {
  const folder = runDir(t);
  const port = await listen(t, createServer());
  writeRunFile(folder, runFile({ port }));
  t.is((await findRunningProxy(folder))?.port, port);
});

test('a dead process is none, even when something listens on its port', async (t) => {
  const folder = runDir(t);
  writeRunFile(folder, runFile({ port: await listen(t, createServer()), pid: NO_PROCESS }));
  t.is(await findRunningProxy(folder), undefined);
});

test('a living process that does not listen is none', async (t) => {
  const folder = runDir(t);
  writeRunFile(folder, runFile({ port: await freePort() }));
  t.is(await findRunningProxy(folder), undefined);
});

test('with health endpoints it is asked for its health', async (t) => {
  const folder = runDir(t);
  let status = 200;
  const asked: (string | undefined)[] = [];
  const health = createHttpServer((request, response) => {
    asked.push(request.url);
    response.writeHead(status).end();
  });
  writeRunFile(folder, runFile({ port: await freePort(), adminHost: '127.0.0.1', adminPort: await listen(t, health) }));
  t.not(await findRunningProxy(folder), undefined);
  status = 503;
  t.is(await findRunningProxy(folder), undefined);
  t.deepEqual(asked, ['/healthz', '/healthz']);
});

test('a wildcard listener is dialled over loopback', (t) => {
  t.is(dialHost('0.0.0.0'), '127.0.0.1');
  t.is(dialHost('::'), '::1');
  t.is(dialHost('10.0.0.1'), '10.0.0.1');
});

test('only processes that exist are alive', (t) => {
  t.true(isAlive(process.pid));
  t.true(isAlive(1));
  t.false(isAlive(NO_PROCESS));
});
