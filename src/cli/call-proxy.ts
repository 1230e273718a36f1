import { request } from 'node:http';
import { AlterError, CommandError, WIRE_ERRORS, type WireCode } from '../errors.ts';
import { apiKeyText } from '../vault/own-credentials.ts';
import type { ProxyAccess } from './proxy-address.ts';

const TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 1 << 20;

interface RawAnswer {
  readonly status: number;
  readonly body: string;
}

/**
 * Sends a JSON document to the proxy itself, and resolves with the one that it answers. Rejects with AlterError for a refusal that is known
 * here, and with CommandError `proxy_unreachable` for everything that is no answer of an alter-proxy.
 */
export async function postToProxy(access: ProxyAccess, path: string, document: object): Promise<unknown> {
  const { status, body } = await post(access, path, JSON.stringify(document));
  const answer = parsed(body);
  if (answer === undefined) throw unreachable(access, `it answers ${String(status)}, and not as an alter-proxy does`);
  if (status >= 200 && status < 300) return answer;
  const { code, detail } = answer as { readonly code?: unknown; readonly detail?: unknown };
  if (typeof code === 'string' && Object.hasOwn(WIRE_ERRORS, code)) {
    const wire = code as WireCode;
    throw new AlterError(wire, typeof detail === 'string' && detail !== WIRE_ERRORS[wire].hint ? { detail } : {});
  }
  throw unreachable(access, `it answers ${String(status)}, which this version does not know`);
}

function post({ origin, key }: ProxyAccess, path: string, text: string): Promise<RawAnswer> {
  const body = Buffer.from(text);
  const headers = { Authorization: `Bearer ${apiKeyText(key)}`, 'Content-Type': 'application/json', 'Content-Length': body.length };
  return new Promise((resolve, reject) => {
    const failed = (cause: Error): void => {
      reject(unreachable({ origin }, 'code' in cause ? String(cause.code) : cause.message, cause));
    };
    const sent = request(new URL(path, origin), { method: 'POST', headers, agent: false, timeout: TIMEOUT_MS }, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_ANSWER_BYTES) sent.destroy(new Error('the answer is too long'));
        else chunks.push(chunk);
      });
      response.on('error', failed);
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') });
      });
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer in time')));
    sent.on('error', failed);
    sent.end(body);
  });
}

function parsed(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function unreachable({ origin }: Pick<ProxyAccess, 'origin'>, reason: string, cause?: Error): CommandError {
  return new CommandError('proxy_unreachable', `the proxy at ${origin} cannot be called: ${reason}`, { cause });
}
