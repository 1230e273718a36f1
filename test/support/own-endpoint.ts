import http from 'node:http';

/** A request to the proxy's own port. */
export interface OwnCall {
  readonly key?: string;
  readonly method?: string;
  readonly path?: string;
  /** Sent as it is, or as JSON. */
  readonly body?: string | object;
  /** Fields over the usual ones; an empty value takes one away. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** What it answered. */
export interface OwnAnswered {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
  /** The body as JSON; empty when there is none. */
  readonly document: Readonly<Record<string, unknown>>;
}

/** Calls the proxy itself: `POST /v1/grants` with a JSON body unless told. */
export function callOwn(proxy: { readonly host: string; readonly port: number }, call: OwnCall): Promise<OwnAnswered> {
  const { key, method = 'POST', path = '/v1/grants', body } = call;
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const usual = {
    ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    ...(text === undefined ? {} : { 'content-type': 'application/json' }),
  };
  const headers = Object.fromEntries(Object.entries({ ...usual, ...call.headers }).filter(([, value]) => value !== ''));
  return new Promise((resolve, reject) => {
    const request = http.request({ host: proxy.host, port: proxy.port, method, path, headers, agent: false }, (response) => {
      let received = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (received += chunk));
      response.on('end', () => {
        const document = received === '' ? {} : (JSON.parse(received) as Record<string, unknown>);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: received, document });
      });
    });
    request.on('error', reject);
    request.end(text);
  });
}
