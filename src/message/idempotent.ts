/** RFC 9110 §9.2.2, of the methods in common use. TRACE is never forwarded. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/** Whether a request of this method may be sent a second time. Method names are case-sensitive. */
export function isIdempotent(method: string): boolean {
  return IDEMPOTENT.has(method);
}
