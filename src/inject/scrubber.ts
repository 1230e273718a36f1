import type { HeaderList } from '../message/header-list.ts';
import { percentEncode } from './percent-encoding.ts';

/** Shorter texts occur by chance: they count only when they are the whole value. */
const MIN_PART = 6;

/**
 * Makes the function that removes response header fields which repeat a credential: `values` as they are, in base64 (at any offset),
 * base64url and percent-encoded; `written` as they are.
 */
export function makeScrubber(values: readonly string[], written: readonly string[]): (headers: HeaderList) => void {
  const texts = new Set([...written, ...values.flatMap(spellings)]);
  texts.delete('');
  const whole = new Set([...texts].filter((text) => text.length < MIN_PART));
  // Shortest first: the search ends at the first text that is longer than the value.
  const parts = [...texts].filter((text) => text.length >= MIN_PART).sort((a, b) => a.length - b.length);
  return (headers) => {
    headers.filter((_, value) => (value.length < MIN_PART ? !whole.has(value) : !repeats(value, parts)));
  };
}

function repeats(value: string, parts: readonly string[]): boolean {
  for (const part of parts) {
    if (part.length > value.length) return false;
    if (value.includes(part)) return true;
  }
  return false;
}

function spellings(value: string): string[] {
  if (value === '') return [];
  const utf8 = Buffer.from(value, 'utf8');
  const percent = percentEncode(value);
  const lowerPercent = percent.replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase());
  const encoded = [utf8.toString('base64'), utf8.toString('base64').replace(/=+$/, ''), ...innerBase64(utf8)];
  // A header value is read one character a byte.
  return [value, utf8.toString('latin1'), percent, lowerPercent, encodeURIComponent(value), ...encoded, ...encoded.map(urlAlphabet)];
}

/** The characters of base64 that depend on `bytes` alone when it stands inside a longer text, for each of the three offsets. */
function innerBase64(bytes: Buffer): string[] {
  const texts = [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    const wholeBits = (offset + bytes.length) * 8;
    return text.slice(Math.ceil((offset * 8) / 6), Math.floor(wholeBits / 6));
  });
  return texts.filter((text) => text.length >= MIN_PART);
}

function urlAlphabet(base64: string): string {
  return base64.replaceAll('+', '-').replaceAll('/', '_');
}
