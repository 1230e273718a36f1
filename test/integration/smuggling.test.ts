/**
 * Contract: no request reaches the API that the client was not answered for, and no answer reaches the client that does not belong to its
 * request, whatever either side sends. Every payload of the corpus goes through the running proxy to an origin that keeps every byte.
 */
import test, { type ExecutionContext } from 'ava';
import type { ExpectedReading, H1Case } from '../corpus/h1-case.ts';
import { H1_REQUESTS } from '../corpus/h1-requests.ts';
import { H1_RESPONSES, type H1ResponseCase } from '../corpus/h1-responses.ts';
import { H1Error, type H1Reason } from '../../src/message/h1/error.ts';
import { makeTestAuthority } from '../support/certificates.ts';
import { openConnect, openTls } from '../support/client.ts';
import { isAnswer, type Message } from '../support/h1-messages.ts';
import { readResponse, type Ending } from '../support/h1-reading.ts';
import { RawClient } from '../support/raw-client.ts';
import { startRecordingOrigin, type RecordingOrigin } from '../support/recording-origin.ts';
import { startScene, type Scene } from '../support/scene.ts';

const authority = makeTestAuthority();
let scene: Scene;
const judged: { readonly origin: RecordingOrigin; readonly judge: (t: ExecutionContext) => void }[] = [];

test.before(async () => {
  scene = await startScene({ origin: { authority }, config: { limits: { head_timeout_ms: 60_000 } } });
});
test.after('nothing came afterwards, until every connection was closed', async (t) => {
  await scene.stop();
  for (const { origin, judge } of judged) {
    await origin.until(() => origin.connections === 0);
    judge(t);
  }
});
test.after.always(async () => {
  await scene.stop();
  await Promise.all(judged.map(({ origin }) => origin.close()));
});

/** How the bytes travel inside CONNECT. */
type Form = 'plain' | 'tls' | 'tls, byte by byte';

const REQUESTS = H1_REQUESTS.flatMap((payload, index) => formsOf(payload, index).map((form) => ({ payload, form })));
for (const { payload, form } of REQUESTS) {
  test(`requests, ${form}: ${payload.name}`, async (t) => {
    const origin = await startRecordingOrigin(
      ({ start }, socket) => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${start.length}\r\n\r\n${start}`);
      },
      form === 'plain' ? { tls: false } : { authority },
    );
    const judge = (context: ExecutionContext): void => {
      judgeOrigin(context, payload, origin);
    };
    judged.push({ origin, judge });
    const client = await connect(origin, form);
    send(client, withAuthority(payload.bytes, origin), form);
    judgeAnswers(t, payload, await answersTo(payload, client));
    client.destroy();
    judge(t);
  });
}

/** Every payload in the clear; what begins like TLS only inside TLS; and a third of them in both ways. */
function formsOf({ bytes }: H1Case, index: number): readonly Form[] {
  if (bytes.startsWith('\x16')) return ['tls'];
  if (index % 3 !== 0) return ['plain'];
  return bytes.length < 300 ? ['plain', 'tls', 'tls, byte by byte'] : ['plain', 'tls'];
}

async function connect(origin: RecordingOrigin, form: Form): Promise<RawClient> {
  const to = `localhost:${origin.port}`;
  return new RawClient(form === 'plain' ? await openConnect(scene.proxy, to) : await openTls(scene.proxy, to));
}

function send(client: RawClient, bytes: string, form: Form): void {
  if (form !== 'tls, byte by byte') client.send(bytes);
  else for (const octet of bytes) client.send(octet);
}

/** The payloads name a host that is as long as that of the origin, so that the lengths in them stay right. */
function withAuthority(bytes: string, origin: RecordingOrigin): string {
  const [from, to] = ['api.example.com', `localhost:${origin.port}`];
  if (from.length !== to.length) throw new Error(`${to} is not as long as ${from}`);
  return bytes.replaceAll(from, to);
}

/** The requests of a payload that the proxy forwards. */
function forwarded({ reads, proxy }: H1Case): readonly ExpectedReading[] {
  return proxy === 'refuses' ? [] : reads.filter(({ start }) => isOriginForm(start));
}

/** Inside CONNECT no other form of a target has a meaning (RFC 9112 §3.2). */
function isOriginForm(start: string): boolean {
  return /^[A-Z]+ \//.test(start);
}

/** Status of the refusal that ends a payload; undefined: none. */
function refusalOf({ ends, reads, proxy }: H1Case): number | undefined {
  if (proxy === 'refuses' || !reads.every(({ start }) => isOriginForm(start))) return 400;
  return isReason(ends)
    ? { malformed: 400, head_too_large: 431, method_not_supported: 405, truncated: undefined }[kindOf(ends)]
    : undefined;
}

function isReason(ends: Ending): ends is H1Reason {
  return ends !== 'clean' && ends !== 'not_persistent' && ends !== 'handed_over';
}

function kindOf(reason: H1Reason): H1Error['kind'] {
  return new H1Error(reason).kind;
}

async function answersTo(payload: H1Case, client: RawClient): Promise<readonly Message[]> {
  if (payload.ends === 'truncated') client.socket.end();
  const staysOpen = payload.ends === 'clean' && refusalOf(payload) === undefined;
  return staysOpen ? client.answered(forwarded(payload).length) : client.closed();
}

/** One answer for each request that was accepted, in order, then the refusal, if there is one. */
function judgeAnswers(t: ExecutionContext, payload: H1Case, answers: readonly Message[]): void {
  const accepted = forwarded(payload);
  const refusal = refusalOf(payload);
  t.is(answers.length, accepted.length + (refusal === undefined ? 0 : 1));
  t.deepEqual(
    answers.slice(0, accepted.length).map(({ body }) => body),
    accepted.map(({ start }) => `${start} HTTP/1.1`),
  );
  t.true(answers.every((answer, i) => isAnswer(answer, i < accepted.length ? 200 : (refusal ?? 0))));
  if (refusal !== undefined) t.true(answers.at(-1)?.fields.includes('Connection: close'));
}

/** The origin has seen what was accepted and nothing else, but for the beginning of a body that turned out to be malformed. */
function judgeOrigin(t: ExecutionContext, payload: H1Case, origin: RecordingOrigin): void {
  const seen = origin.recorded.flatMap(({ requests }) => requests);
  const accepted = forwarded(payload);
  t.deepEqual(
    seen.filter(({ ends }) => ends === 'by-itself').map(({ start, body, trailers }) => ({ start, body, trailers })),
    accepted.map(({ start, body = '', trailers = [] }) => {
      const lines = trailers.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${trailers[i + 1] ?? ''}`] : []));
      return { start: `${start} HTTP/1.1`, body: withAuthority(body, origin), trailers: lines };
    }),
    payload.name,
  );
  const begun = seen.filter(({ ends }) => ends !== 'by-itself');
  t.true(begun.length <= 1 && begun.every(({ start }) => payload.reads.length === 0 && start === 'POST / HTTP/1.1'), payload.name);
  // The body of a request that was announced in full may look like a request.
  if (accepted.length === 0 && payload.ends !== 'truncated') t.false(seen.some(({ start, body }) => `${start}${body}`.includes('hidden')));
}

/** Where nothing asked for a tunnel there is no answer to CONNECT. */
const RESPONSES = H1_RESPONSES.filter(({ asked }) => asked.method !== 'CONNECT').flatMap((payload, index) =>
  formsOf(payload, index)
    .filter((form) => form !== 'tls, byte by byte')
    .map((form) => ({ payload, form })),
);
for (const { payload, form } of RESPONSES) {
  test(`responses, ${form}: ${payload.name}`, async (t) => {
    const origin = await startHostileOrigin(payload, form);
    const client = await connect(origin, form);
    const { method, upgrade } = payload.asked;
    client.methods.push(method);
    const upgradeFields = upgrade ? 'Connection: Upgrade\r\nUpgrade: irc/3.0\r\n' : '';
    client.send(`${method} /first HTTP/1.1\r\nHost: localhost:${origin.port}\r\n${upgradeFields}\r\n`);
    const expected = 1 + informational(payload);
    await client.answered(expected);
    if (!client.socket.destroyed) client.send(`GET /second HTTP/1.1\r\nHost: localhost:${origin.port}\r\n\r\n`);
    judgeResponses(t, payload, client, await client.answered(expected + 1));
    client.destroy();
    await origin.close();
  });
}

/** Answers the first request with the payload and every other one as it should be. */
async function startHostileOrigin({ bytes, ends }: H1ResponseCase, form: Form): Promise<RecordingOrigin> {
  const byClose = ends === 'truncated' || !/content-length|transfer-encoding/i.test(bytes);
  return startRecordingOrigin(
    ({ start }, socket) => {
      if (!start.includes('/first')) {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nown');
        return;
      }
      socket.write(Buffer.from(bytes, 'latin1'));
      if (byClose) socket.end();
    },
    form === 'plain' ? { tls: false } : { authority },
  );
}

/** The final response of a payload that is valid up to its end; the proxy asks for no upgrade. */
function expectedFinal({ reads, asked }: H1ResponseCase): ExpectedReading | undefined {
  const last = reads.at(-1);
  return last === undefined || asked.upgrade || last.start.startsWith('1') ? undefined : last;
}

/** Whether only the body of the final response is malformed. */
function hasGoodHead({ bytes, asked }: H1ResponseCase): boolean {
  return readResponse([Buffer.from(bytes, 'latin1')], asked).heads.some(({ status }) => status >= 200);
}

/** How many informational responses of a payload are passed on. */
function informational({ reads }: H1ResponseCase): number {
  return reads.filter(({ start }) => start.startsWith('1') && !start.startsWith('101')).length;
}

/** The valid answer, or 502, or an answer that is plainly broken off; then the answer to the second request, or the end. */
function judgeResponses(t: ExecutionContext, payload: H1ResponseCase, client: RawClient, messages: readonly Message[]): void {
  const answers = messages.filter(({ start }) => !start.startsWith('HTTP/1.1 1'));
  const [first, second, ...more] = answers;
  t.deepEqual(more, []);
  const expected = expectedFinal(payload);
  if (expected !== undefined) {
    t.is(first?.start, `HTTP/1.1 ${expected.start}`);
    t.is(first?.body, expected.body ?? '');
    t.is(first?.ends, 'by-itself');
  } else if (hasGoodHead(payload) && first?.start !== 'HTTP/1.1 502 Bad Gateway') {
    // Its head had left; as long as nothing has, it is refused like any other answer.
    t.not(first?.ends, 'by-itself', 'an answer that broke off does not look complete');
    t.is(second, undefined);
    t.true(client.socket.destroyed);
    return;
  } else {
    t.true(isAnswer(first, 502));
    t.true(first?.fields.includes(`X-Alter-Error: ${payload.ends === 'truncated' ? 'upstream_unreachable' : 'upstream_protocol_error'}`));
  }
  t.is(second?.body, 'own');
}
