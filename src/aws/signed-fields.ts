/**
 * Whether a field is signed: those that mean something to AWS. Every other may be changed by what stands between (User-Agent, Via,
 * Accept-Encoding, X-Amzn-Trace-Id, Expect, Connection …), and a changed field that is signed breaks the signature.
 */
export function isSignedField(lower: string): boolean {
  return lower.startsWith('x-amz-') || lower === 'content-type' || lower === 'content-md5' || lower === 'host';
}
