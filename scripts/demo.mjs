/**
 * `npm run demo`: the main job of alter-proxy, once, with the real command line against a local HTTPS API. Everything happens in `.demo/`,
 * which is removed at the end. It checks what it shows, and ends with 0 only when all of it happened.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, openSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { sendWithApp, valueOf } from './demo/app.mjs';
import { masked, startEchoApi } from './demo/echo-api.mjs';
import { paint, print, printField, printLine, printStep, whileWorking } from './demo/paper.mjs';
import { prepare } from './demo/prepare.mjs';
import { DemoFailure, Workspace } from './demo/workspace.mjs';
import { ROOT } from './run-command.mjs';

const MAIN = path.join(ROOT, 'dist/src/cli/main.js');
const OTHER_URL = 'https://collector.example/';
const START_DEADLINE_MS = 30_000;
const AUDIT_DEADLINE_MS = 10_000;

const NONE = paint('dim', '(none)');

const workspace = new Workspace();
let checks = 0;

/**
 * @param {boolean} holds
 * @param {string} claim
 * @param {string} [details]
 */
function check(holds, claim, details) {
  if (!holds) throw new DemoFailure(`this does not hold: ${claim}`, details);
  checks += 1;
}

/**
 * Runs the real command line on the home of this demo and returns what it printed.
 * @param {Record<string, string>} env
 * @param {readonly string[]} args
 * @param {string} [input]
 */
async function alterProxy(env, args, input) {
  const { code, stdout, stderr } = await workspace.run(process.execPath, [MAIN, ...args], { env, input });
  if (code !== 0) throw new DemoFailure(`alter-proxy ${args.join(' ')} ended with ${code}`, stderr);
  return stdout;
}

/**
 * Starts the proxy on a free port and waits until it listens.
 * @param {Record<string, string>} env
 */
async function startProxy(env) {
  const logFile = workspace.file('proxy.log');
  const log = openSync(logFile, 'a', 0o600);
  const child = workspace.spawn(process.execPath, [MAIN, 'start', '--port', '0', '--no-admin'], { env, stdio: ['ignore', log, log] });
  closeSync(log);
  const runFile = path.join(env.ALTER_HOME, 'run/proxy.json');
  for (const deadline = Date.now() + START_DEADLINE_MS; !existsSync(runFile); await sleep(25)) {
    if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadline)
      throw new DemoFailure('the proxy did not start', readFileSync(logFile, 'utf8'));
  }
  const { host, port } = JSON.parse(readFileSync(runFile, 'utf8'));
  return { url: `http://${host}:${port}`, logFile, stop: () => workspace.stop(child) };
}

/** Installs, builds, and sets the scene: an API, a home with a secret and a grant, a running proxy. */
async function setTheScene() {
  await prepare(workspace);
  workspace.create();
  return whileWorking('Starting an API and the proxy', async () => {
    const credential = `sk-demo-${randomBytes(12).toString('hex')}`;
    /** @type {import('./demo/echo-api.mjs').Received[]} */
    const received = [];
    const api = await startEchoApi({ folder: workspace.file('api'), credential, onRequest: (request) => received.push(request) });
    workspace.onClose(api.close);
    const home = workspace.file('home');
    const env = { ALTER_HOME: home, ALTER_UPSTREAM_CA_FILES: api.caFile, ALTER_UPSTREAM_ALLOW_PRIVATE: api.authority };
    await alterProxy(env, ['init']);
    const starting = startProxy(env);
    const add = ['secret', 'add', 'demo-api', '--provider', 'custom-bearer', '--host', api.authority];
    const [proxy] = await Promise.all([starting, alterProxy(env, add, credential)]);
    const issue = ['grant', 'issue', '--secret', 'demo-api', '--label', 'demo app', '--ttl', '1h', '--json'];
    const grant = JSON.parse(await alterProxy(env, issue));
    return { credential, api, received, home, env, proxy, grant };
  });
}

/** @typedef {Awaited<ReturnType<typeof setTheScene>>} Scene */

/**
 * The events of the requests with these ids, in this order.
 * @param {Scene} scene
 * @param {readonly (string | undefined)[]} ids
 */
async function auditEvents({ env }, ids) {
  for (const deadline = Date.now() + AUDIT_DEADLINE_MS; ; await sleep(100)) {
    const events = (await alterProxy(env, ['audit', 'tail', '--json']))
      .split('\n')
      .flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
    const found = ids.map((id) => events.find((event) => event.id === id));
    if (found.every((event) => event !== undefined)) return found;
    if (Date.now() > deadline) throw new DemoFailure('the audit events did not come', JSON.stringify(events));
  }
}

/**
 * @param {Scene} scene
 * @param {import('./demo/app.mjs').Conversation} app
 */
function showSent({ grant, credential, api }, app) {
  printStep(1, 'What the app sent', 'no credential, only the id of a grant');
  printLine(`GET https://${api.authority}/v1/orders`);
  printField('X-Alter-Grant', paint('cyan', valueOf(app.sent, 'x-alter-grant') ?? '(none)'));
  printField('Authorization', valueOf(app.sent, 'authorization') ?? NONE);
  check(valueOf(app.sent, 'x-alter-grant') === grant.id, 'the app named the grant');
  check(valueOf(app.sent, 'authorization') === undefined, 'the app sent no Authorization');
  check(!app.everything.includes(credential), 'the app never saw the credential');
}

/** @param {Scene} scene */
function showReceived({ api, received, credential }) {
  const [request, ...others] = received;
  check(request !== undefined && others.length === 0, 'the API received one request');
  const fields = request.rawHeaders.flatMap((name, index) =>
    index % 2 === 0 ? [[name.toLowerCase(), request.rawHeaders[index + 1]]] : [],
  );
  const authorization = fields.filter(([name]) => name === 'authorization').map(([, value]) => value);
  printStep(2, 'What the API received', 'the proxy put the credential in');
  printLine(`${request.method} https://${api.authority}${request.path}`);
  printField('X-Alter-Grant', fields.find(([name]) => name === 'x-alter-grant')?.[1] ?? NONE);
  printField('Authorization', paint('green', authorization.join(', ').replaceAll(credential, masked(credential))));
  check(authorization.length === 1 && authorization[0] === `Bearer ${credential}`, 'the API received the credential');
  check(
    !fields.some(([name]) => name.startsWith('x-alter-') || name.startsWith('proxy-')),
    'the API received no header meant for the proxy',
  );
}

/** @param {import('./demo/app.mjs').Conversation} app */
function showGotBack(app) {
  printStep(3, 'What the app got back', 'the answer of the API');
  printLine(`${paint(app.status === 200 ? 'green' : 'red', String(app.status))} ${app.body.trim()}`);
  check(app.status === 200, 'the app got the answer of the API', app.body);
}

/** @param {Record<string, any>} event */
function showEvent(event) {
  printStep(4, 'What the audit recorded', 'names, never values');
  printField(
    'outcome',
    `${paint(event.outcome === 'success' ? 'green' : 'red', event.outcome)}, ${event.status} in ${Math.ceil(event.durationMs)} ms`,
  );
  printField('request', `${event.method} ${event.host}:${event.port}${event.path}`);
  printField('grant', `${event.grantLabel} ${paint('dim', `(${event.grantId})`)}`);
  printField('secret', `${event.secretId} version ${event.secretVersion}, provider ${event.provider}`);
  printField('injected', event.injected.join(', '));
  printField('reason', event.reason);
  check(event.outcome === 'success' && event.injected.includes('header:authorization'), 'the use of the credential was recorded');
}

/**
 * @param {Scene} scene
 * @param {import('./demo/app.mjs').Conversation} app
 * @param {Record<string, any>} event
 */
function showRefusal({ received }, app, event) {
  const { code, title } = JSON.parse(app.body);
  printStep(5, 'The same grant against another host', 'refused before anything leaves');
  printLine(`GET ${OTHER_URL}`);
  printLine(`${paint('red', `${app.status} ${code}`)}  ${title}`);
  check(app.status === 403 && valueOf(app.got, 'x-alter-error') === 'host_not_allowed', 'the grant was refused for another host', app.body);
  check(event.outcome === 'policy_denied' && event.code === 'host_not_allowed', 'the refusal was recorded');
  check(received.length === 1, 'the refused request reached nobody');
}

/**
 * The credential in clear is in no file of this demo: not in the store, not in the log.
 * @param {string} credential
 */
function checkFiles(credential) {
  const files = readdirSync(workspace.folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const holding = files.filter((file) => readFileSync(path.join(file.parentPath, file.name)).includes(credential));
  check(files.length > 5 && holding.length === 0, 'no file holds the credential in clear', holding.map(({ name }) => name).join('\n'));
}

async function demonstrate() {
  const scene = await setTheScene();
  const through = { proxy: scene.proxy.url, caFile: path.join(scene.home, 'ca/ca.pem') };
  const fields = [`X-Alter-Grant: ${scene.grant.id}`, 'X-Alter-Reason: npm run demo'];
  try {
    const allowed = await sendWithApp(workspace, `https://${scene.api.authority}/v1/orders`, fields, through);
    showSent(scene, allowed);
    showReceived(scene);
    showGotBack(allowed);
    const refused = await sendWithApp(workspace, OTHER_URL, fields, through);
    const [use, refusal] = await auditEvents(
      scene,
      [allowed, refused].map(({ got }) => valueOf(got, 'x-alter-request-id')),
    );
    showEvent(use);
    showRefusal(scene, refused, refusal);
    check(!JSON.stringify([use, refusal]).includes(scene.credential), 'the audit holds no credential');
  } catch (error) {
    if (!(error instanceof DemoFailure)) throw error;
    throw new DemoFailure(error.message, `${error.details}\n\nThe log of the proxy:\n${readFileSync(scene.proxy.logFile, 'utf8')}`);
  }
  check((await scene.proxy.stop()) === 0, 'the proxy stopped cleanly', readFileSync(scene.proxy.logFile, 'utf8'));
  checkFiles(scene.credential);
}

try {
  await demonstrate();
  await workspace.close();
  check(!existsSync(workspace.folder), 'nothing is left behind');
  print();
  print(`${paint('green', '✓')} All of it happened: ${checks} checks passed. The proxy has stopped and .demo/ is gone.`);
  print(`  Next: ${paint('bold', 'README.md')}, "Five minutes"`);
} catch (error) {
  await workspace.close();
  print();
  if (workspace.interrupted) console.error('The demo was stopped; nothing of it is left.');
  else console.error(`${paint('red', '✗')} The demo failed: ${error instanceof DemoFailure ? error.message : error.stack}`);
  if (error.details && !workspace.interrupted) console.error(error.details.replaceAll(/^/gm, '  '));
  process.exitCode = 1;
}
