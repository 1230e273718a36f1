import http from 'node:http';
import net from 'node:net';
import tls from 'node:tls';

/** Where a test client finds the proxy, and what it trusts. */
export interface ProxyTarget {
  readonly host: string;
  readonly port: number;
  /** PEM of the proxy's CA. */
  readonly ca: string;
}

/** One request of a test. */
export interface ClientRequest {
  /** `https://` goes through CONNECT, `http://` in absolute form. */
  readonly url: string;
  readonly method?: string;
  /** Name, value, name, value …, in the order in which they are sent. Host is added when absent. */
  readonly headers?: readonly string[];
  readonly body?: string | Buffer;
  readonly grant?: string;
  /** API key for Proxy-Authorization. */
  readonly key?: string;
  /** More fields on CONNECT. */
  readonly connectHeaders?: readonly string[];
  /** TLS server name, when it is not the host of the URL. */
  readonly serverName?: string;
  /** Authority for CONNECT, when it is not that of the URL. */
  readonly connectTo?: string;
}

/** What came back. */
export interface ClientAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly trailers: NodeJS.Dict<string>;
  readonly body: string;
}

/** CONNECT was refused: what the proxy answered to it. */
export class ConnectRefused extends Error {
  readonly answer: ClientAnswer;
  constructor(answer: ClientAnswer) {
    super(`CONNECT answered ${answer.status}: ${answer.body}`);
    this.answer = answer;
  }
}

/** Opens a CONNECT tunnel. Rejects with {@link ConnectRefused}. */
export function openConnect(proxy: ProxyTarget, authority: string, headers: readonly string[] = []): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const fields = hasName(headers, 'host') ? [...headers] : ['Host', authority, ...headers];
    const request = http.request({
      host: proxy.host,
      port: proxy.port,
      method: 'CONNECT',
      path: authority,
      headers: fields as unknown as http.OutgoingHttpHeaders,
      agent: false,
    });
    request.once('connect', (response, socket, head) => {
      if (response.statusCode === 200) {
        resolve(socket);
        return;
      }
      const chunks: Buffer[] = [head];
      socket.on('data', (chunk: Buffer) => chunks.push(chunk));
      socket.once('close', () => {
        reject(new ConnectRefused(answerOf(response, Buffer.concat(chunks).toString())));
      });
    });
    request.once('error', reject);
    request.end();
  });
}

/** Opens a CONNECT tunnel and TLS inside, trusting the proxy's CA. */
export async function openTls(
  proxy: ProxyTarget,
  authority: string,
  options: { headers?: readonly string[]; serverName?: string } & tls.ConnectionOptions = {},
): Promise<tls.TLSSocket> {
  const { headers, serverName, ...tlsOptions } = options;
  const raw = await openConnect(proxy, authority, headers);
  const name = serverName ?? hostOf(authority);
  return new Promise((resolve, reject) => {
    const socket = tls.connect({
      socket: raw,
      ca: proxy.ca,
      host: name,
      ...(net.isIP(name) === 0 ? { servername: name } : {}),
      ...tlsOptions,
    });
    socket.once('secureConnect', () => {
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

/** Sends one request through the proxy on a connection of its own. */
export async function requestThrough(proxy: ProxyTarget, request: ClientRequest): Promise<ClientAnswer> {
  const url = new URL(request.url);
  // WHATWG URL repairs what a test wants to send as it is, so the target is cut out of the text.
  const target = /^https?:\/\/[^/]*(.*)$/s.exec(request.url)?.[1] ?? '/';
  const proxyFields =
    request.key === undefined ? [] : ['Proxy-Authorization', `Basic ${Buffer.from(`x:${request.key}`).toString('base64')}`];
  const grantFields = request.grant === undefined ? [] : ['X-Alter-Grant', request.grant];
  const headers = [...(hasName(request.headers ?? [], 'host') ? [] : ['Host', url.host]), ...(request.headers ?? []), ...grantFields];
  if (url.protocol === 'http:') {
    return send({ host: proxy.host, port: proxy.port, agent: false, path: request.url, headers: [...headers, ...proxyFields] }, request);
  }
  const authority = request.connectTo ?? `${url.hostname}:${url.port === '' ? '443' : url.port}`;
  const socket = await openTls(proxy, authority, {
    headers: [...proxyFields, ...(request.connectHeaders ?? [])],
    ...(request.serverName === undefined ? {} : { serverName: request.serverName }),
  });
  try {
    return await send({ createConnection: () => socket, path: target === '' ? '/' : target, headers }, request);
  } finally {
    socket.destroy();
  }
}

function send(
  options: Omit<http.RequestOptions, 'headers'> & { headers: readonly string[] },
  request: ClientRequest,
): Promise<ClientAnswer> {
  return new Promise((resolve, reject) => {
    const fields = [...options.headers];
    if (request.body !== undefined && !hasName(fields, 'content-length') && !hasName(fields, 'transfer-encoding')) {
      fields.push('Content-Length', String(Buffer.byteLength(request.body)));
    }
    const outgoing = http.request({ ...options, method: request.method ?? 'GET', headers: fields as unknown as http.OutgoingHttpHeaders });
    outgoing.once('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('end', () => {
        resolve(answerOf(response, Buffer.concat(chunks).toString()));
      });
      response.once('error', reject);
    });
    outgoing.once('error', reject);
    outgoing.end(request.body);
  });
}

function answerOf(response: http.IncomingMessage, body: string): ClientAnswer {
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    rawHeaders: response.rawHeaders,
    trailers: response.trailers,
    body,
  };
}

function hasName(fields: readonly string[], name: string): boolean {
  return fields.some((field, index) => index % 2 === 0 && field.toLowerCase() === name);
}

function hostOf(authority: string): string {
  return authority.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
}

/** Sends bytes as they are on `socket` and resolves with everything that comes back until the other side closes. */
export function exchangeRaw(socket: net.Socket, bytes: string | Buffer): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', () => undefined);
    socket.once('close', () => {
      resolve(Buffer.concat(chunks).toString('latin1'));
    });
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  });
}

/** The code of the proxy's own answer in a problem document. */
export function problemCode(answer: { readonly body: string }): string {
  const document: unknown = JSON.parse(answer.body);
  return typeof document === 'object' && document !== null && 'code' in document ? String(document.code) : '';
}
