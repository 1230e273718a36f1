import type { Draft } from './injector.ts';

/**
 * Has a signature that was just made for `draft` kept out of the head of the answer: whoever has it can use it without the proxy until it
 * expires. Looked for is its longest stretch of letters and digits, which stands in every percent-encoding of it.
 */
export function noteSignature(draft: Draft, signature: string): void {
  const stretches = signature.match(/[A-Za-z0-9]+/g) ?? [];
  const longest = stretches.reduce((best, stretch) => (stretch.length > best.length ? stretch : best), '');
  if (longest !== '') draft.signatures = [...(draft.signatures ?? []), longest];
}
