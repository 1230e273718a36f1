import type { FieldName } from '../message/field-name.ts';
import type { HeaderList } from '../message/header-list.ts';
import { decodeEscapes } from '../message/query.ts';

/** Shorter texts occur by chance: they count only when they are the whole value. */
const MIN_PART = 6;

/** A URL in a parameter of another one is percent-encoded twice. */
const MAX_ENCODED = 2;

/**
 * Makes the function that removes response header fields which repeat a credential: `values` as they are and in base64 (at any offset) or
 * base64url, `written` as they are; all of it also percent-encoded, wholly or in part. A name can repeat one as well as a value.
 */
export function makeScrubber(values: readonly string[], written: readonly string[]): (headers: HeaderList) => void {
  const texts = new Set([...written, ...values.flatMap(spellings)]);
  texts.delete('');
  const whole = new Set([...texts].filter((text) => text.length < MIN_PART));
  // Shortest first: the search ends at the first text that is longer than the value.
  const parts = [...texts].filter((text) => text.length >= MIN_PART).sort((a, b) => a.length - b.length);
  const shortest = Math.min(...[...texts].map((text) => text.length));
  const repeats = (value: string, encoded: number): boolean => {
    if (value.length < shortest) return false;
    if (value.length < MIN_PART ? whole.has(value) : holdsOne(value, parts)) return true;
    return encoded > 0 && value.includes('%') && repeats(decodeEscapes(value), encoded - 1);
  };
  const stays = ({ spelling }: FieldName, value: string): boolean => !repeats(value, MAX_ENCODED) && !repeats(spelling, MAX_ENCODED);
  return (headers) => {
    headers.filter(stays);
  };
}

function holdsOne(value: string, parts: readonly string[]): boolean {
  for (const part of parts) {
    if (part.length > value.length) return false;
    if (value.includes(part)) return true;
  }
  return false;
}

function spellings(value: string): string[] {
  if (value === '') return [];
  const utf8 = Buffer.from(value, 'utf8');
  const encoded = [utf8.toString('base64'), utf8.toString('base64').replace(/=+$/, ''), ...innerBase64(utf8)];
  // A header value is read one character a byte.
  const octets = utf8.toString('latin1');
  // A form writes a space as a plus sign.
  return [value, octets, octets.replaceAll(' ', '+'), ...encoded, ...encoded.map(urlAlphabet)];
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
