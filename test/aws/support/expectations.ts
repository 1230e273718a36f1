import type { ExecutionContext } from 'ava';
import type { Ran } from './route.ts';
import type { SeenRequest, VerifyingOrigin } from './verifying-origin.ts';

/** A program that must have ended well; its output as JSON. */
export function printedJson(t: ExecutionContext, ran: Ran, origin?: VerifyingOrigin): Record<string, unknown> {
  if (ran.code !== 0)
    t.fail(`ended with ${String(ran.code)}\n${ran.stdout}\n${ran.stderr}\n${origin === undefined ? '' : refusals(origin)}`);
  return JSON.parse(ran.stdout) as Record<string, unknown>;
}

/** A program that must have ended well. */
export function endedWell(t: ExecutionContext, ran: Ran, origin?: VerifyingOrigin): void {
  t.is(ran.code, 0, `${ran.stdout}\n${ran.stderr}\n${origin === undefined ? '' : refusals(origin)}`);
}

/** Every request since `from` was signed right, and there were some. Returns them. */
export function allVerified(t: ExecutionContext, origin: VerifyingOrigin, from: number): readonly SeenRequest[] {
  const requests = origin.seen.slice(from);
  t.true(requests.length > 0, 'nothing arrived');
  for (const request of requests) t.is(request.verdict, 'ok', describe(request));
  return requests;
}

function refusals(origin: VerifyingOrigin): string {
  return origin.seen
    .filter(({ verdict }) => verdict !== 'ok')
    .map(describe)
    .join('\n\n');
}

function describe(request: SeenRequest): string {
  const headers = request.headers.map((pair) => pair.join(': ')).join('\n');
  return `${request.method} ${request.host} ${request.target}\n${headers}\n${request.verdict}: ${request.detail ?? ''}\n${request.canonical ?? ''}`;
}
