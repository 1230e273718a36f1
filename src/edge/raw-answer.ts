import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { AlterError } from '../errors.ts';
import { KEY_DEPRECATED } from '../principals/caller.ts';
import type { Caller } from '../principals/caller.ts';
import { problemAnswer } from './problem.ts';
import type { KeyChallenge } from './problem.ts';

/** Time a client has to read the last answer before its connection is closed for good. */
const LINGER_MS = 2000;

/** Lets CONNECT through. */
export function answerEstablished(socket: Duplex, caller: Caller): void {
  const deprecated = caller.deprecated === true ? `${KEY_DEPRECATED}: true\r\n` : '';
  socket.write(`HTTP/1.1 200 Connection Established\r\n${deprecated}\r\n`);
}

/** Answers on a socket that no HTTP parser owns (CONNECT, unreadable heads) and closes it. */
export function answerRaw(socket: Duplex, error: AlterError, requestId: string, challenge: KeyChallenge, caller?: Caller): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const { status, headers, body } = problemAnswer(error, requestId, challenge, caller);
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\n`;
  for (let i = 0; i < headers.length; i += 2) head += `${headers[i] ?? ''}: ${headers[i + 1] ?? ''}\r\n`;
  socket.end(Buffer.concat([Buffer.from(`${head}\r\n`, 'latin1'), body]));
  // Reading on keeps the kernel from resetting the connection before the client has read the answer.
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => {
    clearTimeout(timer);
  });
}
