// CPU and memory of signing aws-chunked bodies on their way between two TLS connections, beside passing them through:
//   node bench/aws-chunks-wire.mjs [gigabytes] [folder of the compiled code]
// Three processes: a client that sends, an origin that counts, and between them a relay whose CPU is counted; it writes as the proxy does.
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { makeCertificates } from './certificates.mjs';

const CHUNK = 64 * 1024;
const SIGNATURE = 'a'.repeat(64);
const [, self] = process.argv;
const role = process.env.BENCH_ROLE;

if (role === 'client') client();
else if (role === 'origin') origin();
else await relay(Number(process.argv[2] ?? 2), path.resolve(process.argv[3] ?? 'dist'));

function client() {
  const line = Buffer.from(`${CHUNK.toString(16)};chunk-signature=${SIGNATURE}\r\n`);
  const chunk = Buffer.concat([line, randomBytes(CHUNK), Buffer.from('\r\n')]);
  process.on('message', ({ port, chunks }) => {
    const socket = tls.connect({ port, rejectUnauthorized: false }, () => send(chunks));
    const send = (left) => {
      for (; left > 0; left -= 1) {
        if (socket.write(chunk)) continue;
        socket.once('drain', () => send(left - 1));
        return;
      }
      socket.end(`0;chunk-signature=${SIGNATURE}\r\n\r\n`);
    };
  });
}

function origin() {
  const server = tls.createServer(keys('origin'), (socket) => {
    socket.resume();
    socket.on('end', () => process.send({ bytes: socket.bytesRead }));
  });
  server.listen(0, () => process.send({ port: server.address().port }));
}

function keys(name) {
  const read = (file) => readFileSync(path.join(process.env.BENCH_CERTS, file));
  return { key: read(`${name}.key`), cert: read(`${name}.pem`) };
}

async function relay(gigabytes, dist) {
  const load = (file) => import(pathToFileURL(`${dist}/src/${file}.js`).href);
  const { resignChunks } = await load('inject/sigv4/chunk-stream');
  const { MessageWriter } = await load('message/h1/message-writer');
  const folder = mkdtempSync(path.join(os.tmpdir(), 'alter-proxy-bench-'));
  process.env.BENCH_CERTS = makeCertificates(folder);
  const start = (name) => fork(fileURLToPath(pathToFileURL(self)), [], { env: { ...process.env, BENCH_ROLE: name } });
  const heard = (child) => new Promise((resolve) => child.once('message', resolve));
  const [sender, receiver] = [start('client'), start('origin')];
  const { port: originPort } = await heard(receiver);
  const chunks = Math.round((gigabytes * 1e9) / CHUNK);
  const signing = { key: randomBytes(32), scope: '20251125/us-east-1/s3/aws4_request', amzDate: '20251125T120000Z', seed: SIGNATURE };
  const signed = () => resignChunks(signing, { trailers: false, decodedLength: chunks * CHUNK });
  const plain = () => ({ write: (piece) => [piece], end: () => ({ pieces: [] }) });

  let begin = () => undefined;
  const server = tls.createServer(keys('leaf'), (socket) => begin(socket));
  await new Promise((resolve) => server.listen(0, resolve));

  const once = async (makeTransform) => {
    const transform = makeTransform();
    const done = heard(receiver);
    let peak = 0;
    begin = (incoming) => {
      const outgoing = tls.connect({ port: originPort, rejectUnauthorized: false });
      const writer = new MessageWriter(outgoing, () => setImmediate(() => writer.flush()));
      writer.head('', { kind: 'close' });
      incoming.on('data', (piece) => {
        let room = true;
        for (const leaving of transform.write(piece)) room = writer.data(leaving);
        if (!room) incoming.pause();
      });
      outgoing.on('drain', () => incoming.resume());
      incoming.on('end', () => {
        for (const leaving of transform.end(undefined).pieces) writer.data(leaving);
        writer.flush();
        outgoing.end();
      });
    };
    const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 20);
    const [cpu, time] = [process.cpuUsage(), process.hrtime.bigint()];
    sender.send({ port: server.address().port, chunks });
    await done;
    clearInterval(timer);
    const { user, system } = process.cpuUsage(cpu);
    return { cpu: (user + system) / 1000 / gigabytes, rate: (gigabytes * 1e9) / Number(process.hrtime.bigint() - time), peak: peak / 1e6 };
  };

  const rounds = { plain: [], signed: [] };
  for (let round = 0; round < 3; round += 1) {
    rounds.plain.push(await once(plain));
    rounds.signed.push(await once(signed));
  }
  for (const [name, results] of Object.entries(rounds)) {
    const best = results.sort((one, other) => one.cpu - other.cpu)[0];
    console.log(
      `${name.padEnd(8)} ${best.cpu.toFixed(0)} ms CPU/GB  ${best.rate.toFixed(2)} GB/s  peak ${Math.max(...results.map(({ peak }) => peak)).toFixed(0)} MB`,
    );
  }
  console.log(`signing anew runs at ${((100 * rounds.plain[0].cpu) / rounds.signed[0].cpu).toFixed(0)} % of passing through, per CPU`);
  sender.kill();
  receiver.kill();
  server.close();
  rmSync(folder, { recursive: true });
}
