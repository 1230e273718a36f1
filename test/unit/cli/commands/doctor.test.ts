/** `doctor` looks at everything that a proxy needs and names the fix for what is wrong. */
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import { initialised, inProcessHome, type CliHome } from '../../../support/cli.ts';
import { startOrigin } from '../../../support/origin.ts';

interface Report {
  readonly ok: boolean;
  readonly checks: readonly { readonly name: string; readonly status: string; readonly detail: string; readonly fix?: string }[];
}

test('doctor finds a new home in order, and names what is not, with its fix', async (t) => {
  const { home, run, json } = await initialised(inProcessHome(t));
  const env = { ALTER_LISTEN_PORT: '0', ALTER_ADMIN_PORT: '0' };
  const healthy = (await json(['doctor'], { env })) as Report;
  t.true(healthy.ok);
  t.deepEqual(healthy.checks.map(({ name }) => name).slice(0, 9), [
    ...['clock', 'config', 'home', 'keyring', 'ca', 'catalogue', 'store', 'records', 'key'],
  ]);

  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const port = String((server.address() as AddressInfo).port);
  chmodSync(join(home, 'ca', 'ca.key'), 0o644);
  const ill = await run(['doctor', '--json'], { env: { ...env, ALTER_LISTEN_PORT: port } });
  t.is(ill.code, 1);
  const failed = (JSON.parse(ill.stdout) as Report).checks.filter(({ status }) => status === 'fail');
  t.deepEqual(failed.map(({ name }) => name), ['ca', 'port']); // prettier-ignore
  for (const { fix } of failed) t.truthy(fix);
  t.regex(failed[1]?.fix ?? '', /another port with --port\./);

  const admin = JSON.parse((await run(['doctor', '--json'], { env: { ...env, ALTER_ADMIN_PORT: port } })).stdout) as Report;
  t.regex(admin.checks.find(({ name }) => name === 'admin port')?.fix ?? '', /another port with --admin-port\./);
});

test('doctor opens a verified connection when asked to', async (t) => {
  const { run, write } = await initialised(inProcessHome(t));
  const origin = await startOrigin();
  t.teardown(() => origin.close());
  const ca = write('origin.pem', origin.ca);
  const env = { ALTER_LISTEN_PORT: '0', ALTER_ADMIN_PORT: '0' };
  const distrusted = await run(['doctor', '--probe', origin.url], { env });
  t.is(distrusted.code, 1);
  t.regex(distrusted.stdout, /✗ probe .*\n.*upstream\.ca_files/);
  const trusted = await run(['doctor', '--probe', origin.url], { env: { ...env, ALTER_UPSTREAM_CA_FILES: ca } });
  t.is(trusted.code, 0, trusted.stdout);
  t.regex(trusted.stdout, /✓ probe .*TLSv1\.3, verified/);
  t.is((await run(['doctor', '--probe', 'http://localhost'])).code, 2);
});

async function finding(cli: CliHome, name: string): Promise<Report['checks'][number] | undefined> {
  const { stdout } = await cli.run(['doctor', '--json'], { env: { ALTER_LISTEN_PORT: '0', ALTER_ADMIN_PORT: '0' } });
  return (JSON.parse(stdout) as Report).checks.find((check) => check.name === name);
}

test('a home that others can enter is a warning, which does not fail the home', async (t) => {
  const cli = await initialised(inProcessHome(t));
  chmodSync(cli.home, 0o755);
  t.like(await finding(cli, 'home'), { status: 'warn', fix: `chmod 700 ${cli.home}` });
  t.is((await cli.run(['doctor'], { env: { ALTER_LISTEN_PORT: '0', ALTER_ADMIN_PORT: '0' } })).code, 0);
});

test('a key that the store does not know is a warning with the way out', async (t) => {
  const cli = await initialised(inProcessHome(t));
  t.like(await finding(cli, 'key'), { status: 'ok' });
  writeFileSync(join(cli.home, 'key'), `alter_key_app_${'A'.repeat(43)}\n`);
  const unknown = await finding(cli, 'key');
  t.like(unknown, { status: 'warn' });
  const [, ...fix] = unknown?.fix?.split(' ') ?? [];
  t.is((await cli.run(fix)).code, 0);
  t.like(await finding(cli, 'key'), { status: 'ok' });
});

test("the proxy's own key that is deprecated works on, and doctor says no worse of it", async (t) => {
  const cli = await initialised(inProcessHome(t));
  t.is((await cli.run(['key', 'deprecate', 'sidecar'])).code, 0);
  const deprecated = await finding(cli, 'key');
  t.is(deprecated?.status, 'warn');
  t.regex(deprecated?.detail ?? '', /is deprecated: it works on/);
  t.is((await cli.run(['key', 'revoke', 'sidecar'])).code, 0);
  t.regex((await finding(cli, 'key'))?.detail ?? '', /is revoked/);
});

test('a lost keyring is told, and what rests on it is left out', async (t) => {
  const cli = await initialised(inProcessHome(t));
  rmSync(join(cli.home, 'keyring.json'));
  t.like(await finding(cli, 'keyring'), { status: 'fail' });
  t.is(await finding(cli, 'records'), undefined);
});
