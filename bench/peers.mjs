/** Other proxies that intercept TLS and set a header, as yardsticks: each replaces Authorization, and the origin checks that it did. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { AUTHORIZATION } from './setup.mjs';
import { BUILD, findBinary } from './tools.mjs';

const GO_SOURCE = fileURLToPath(new URL('peers/reverse-proxy.go', import.meta.url));

/**
 * By name: the program that must be installed, the arguments that make it tell its version, and `prepare`, which writes the configuration
 * into `folder` and returns what makes the command line out of a port; `stages`, when not all can be measured. All but privoxy show the leaf
 * certificate of the floor.
 */
export const PEERS = {
  squid: { title: 'squid', kind: 'ssl-bump', binary: 'squid', package: 'squid-openssl', version: ['-v'], prepare: prepareSquid },
  mitmproxy: { title: 'mitmproxy', binary: 'mitmdump', package: 'mitmproxy', version: ['--version'], prepare: prepareMitmproxy },
  privoxy: {
    title: 'privoxy',
    kind: 'HTTPS inspection',
    binary: 'privoxy',
    package: 'privoxy',
    version: ['--version'],
    prepare: preparePrivoxy,
    // It closes an intercepted connection after one answer, without saying so in it.
    stages: ['new', 'newr'],
  },
  go: { title: 'Go', kind: 'httputil.ReverseProxy', binary: 'go', package: 'golang', version: ['version'], prepare: prepareGo },
};

/**
 * Starts the peers of these names (undefined: all that are installed). Returns those that run as `{ name, title, stages, party }`, and those
 * that do not as `{ name, title, reason }`.
 */
export async function startPeers(bench, wanted = Object.keys(PEERS)) {
  const running = [];
  const skipped = [];
  for (const name of wanted) {
    const { title, kind, binary, package: debianPackage, version, prepare, stages } = PEERS[name];
    const program = findBinary(binary);
    if (program === undefined) {
      skipped.push({ name, title, reason: `not installed; on Debian: sudo apt-get install ${debianPackage}` });
      continue;
    }
    const folder = bench.file(name);
    mkdirSync(folder);
    try {
      const command = prepare({ program, folder, certs: bench.certs });
      const party = await bench.startProgram(([port]) => command(port));
      running.push({ name, title: fullTitle(title, versionOf(program, version), kind), stages, party });
    } catch (error) {
      skipped.push({ name, title, reason: String(error.stderr || error.message).trim() });
    }
  }
  return { running, skipped };
}

function fullTitle(title, version, kind) {
  return `${title} ${version}${kind === undefined ? '' : ` (${kind})`}`;
}

function versionOf(program, args) {
  return /\d+\.\d+(\.\d+)?/.exec(execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))?.[0] ?? '';
}

function prepareSquid({ program, folder, certs }) {
  // Started by root it becomes another user, who must get to the CA.
  chmodSync(path.dirname(folder), 0o711);
  const file = path.join(folder, 'squid.conf');
  return (port) => {
    writeFileSync(
      file,
      `http_port 127.0.0.1:${port} ssl-bump generate-host-certificates=off tls-cert=${certs}/leaf.chain.pem tls-key=${certs}/leaf.key
ssl_bump bump all
tls_outgoing_options cafile=${certs}/ca.pem
http_access allow all
request_header_access Authorization deny all
request_header_replace Authorization ${AUTHORIZATION}
cache deny all
cache_mem 0
access_log none
cache_log /dev/null
cache_store_log none
pid_filename none
coredump_dir ${folder}
shutdown_lifetime 0 seconds
`,
    );
    // The name of the service is part of the names of its shared memory.
    return [program, '-N', '-n', `bench${port}`, '-d', '1', '-f', file];
  };
}

function prepareMitmproxy({ program, folder, certs }) {
  const identity = path.join(folder, 'leaf.pem');
  writeFileSync(identity, ['leaf.key', 'leaf.chain.pem'].map((name) => readFileSync(path.join(certs, name), 'utf8')).join(''));
  const settings = [`confdir=${folder}`, `certs=*=${identity}`, `ssl_verify_upstream_trusted_ca=${certs}/ca.pem`, 'flow_detail=0'];
  const change = ['--modify-headers', `|~q|Authorization|${AUTHORIZATION}`];
  return (port) => [
    program,
    '--quiet',
    '--listen-host',
    '127.0.0.1',
    '--listen-port',
    port,
    ...settings.flatMap((setting) => ['--set', setting]),
    ...change,
  ];
}

/** It takes no leaf certificate and makes its own, with RSA keys and from an RSA authority only. */
function preparePrivoxy({ program, folder, certs }) {
  const write = (name, text) => writeFileSync(path.join(folder, name), text);
  mkdirSync(path.join(folder, 'certificates'));
  const authority = ['-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=benchmark CA', '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...authority, '-keyout', 'ca.key', '-out', 'ca.pem'], { cwd: folder, stdio: 'pipe' });
  write('bench.filter', `CLIENT-HEADER-FILTER: bench sets the credential\ns@^Authorization:.*@Authorization: ${AUTHORIZATION}@i\n`);
  write('bench.action', '{ +https-inspection +client-header-filter{bench} +limit-connect{1-} }\n/\n');
  return (port) => {
    write(
      'config',
      `listen-address 127.0.0.1:${port}
confdir ${folder}
logdir ${folder}
actionsfile bench.action
filterfile bench.filter
ca-directory ${folder}
ca-cert-file ca.pem
ca-key-file ca.key
certificate-directory ${folder}/certificates
trusted-cas-file ${certs}/ca.pem
keep-alive-timeout 300
max-client-connections 1024
debug 4096
debug 8192
`,
    );
    return [program, '--no-daemon', path.join(folder, 'config')];
  };
}

function prepareGo({ program, certs }) {
  const binary = path.join(BUILD, 'reverse-proxy');
  execFileSync(program, ['build', '-o', binary, GO_SOURCE], { cwd: BUILD, stdio: 'pipe', encoding: 'utf8' });
  const identity = [path.join(certs, 'leaf.chain.pem'), path.join(certs, 'leaf.key')];
  return (port) => [binary, port, ...identity, path.join(certs, 'ca.pem'), AUTHORIZATION];
}
