import { decodeBasic } from './basic-credentials.ts';
import type { FieldName } from './field-name.ts';
import type { HeaderList } from './header-list.ts';
import { decodeComponent, parameterName } from './query.ts';
import type { CanonicalUrl } from './url.ts';
import { parseUuid } from './uuid.ts';

/** A grant placeholder found in a request, and the place where it stood. */
export interface PlaceholderPlace {
  /** Grant id, lower case. */
  readonly grantId: string;
  /** `header:<lower-case name>`, `query:<name>`, `cookie:<name>`, or `path`. */
  readonly place: string;
}

const PREFIX = 'alter_grant_';

/** A placeholder as a text of its own. */
export const PLACEHOLDER = /alter_grant_[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}/;
const UUID_LENGTH = 36;
const BASIC = /^basic /i;

/**
 * Finds every `alter_grant_<uuid>` in header values (also inside Basic credentials of Authorization, and in single cookies), query parameters and the path.
 * Bodies are never searched. A prefix without a UUID behind it is ordinary text.
 */
export function findPlaceholders({ names, values }: HeaderList, url: CanonicalUrl): PlaceholderPlace[] {
  const places: PlaceholderPlace[] = [];
  for (let i = 0; i < names.length; i += 1) {
    const name = names[i];
    const value = values[i];
    if (name !== undefined && value !== undefined) searchHeader(name, value, places);
  }
  if (url.query?.includes('alter') === true) searchQuery(url.query, places);
  search(url.path, 'path', '', places);
  return places;
}

function searchHeader({ lower }: FieldName, value: string, places: PlaceholderPlace[]): void {
  if (value.length > PREFIX.length && lower === 'cookie' && value.includes(PREFIX)) {
    searchCookies(value, places);
    return;
  }
  if (value.length > PREFIX.length) search(value, 'header:', lower, places);
  if (lower !== 'authorization' || !startsWithBasic(value)) return;
  const pair = decodeBasic(value.slice(6).trim());
  if (pair === undefined) return;
  search(pair.username, 'header:', lower, places);
  search(pair.password, 'header:', lower, places);
}

function searchCookies(value: string, places: PlaceholderPlace[]): void {
  for (const cookie of value.split(';')) {
    const equals = cookie.indexOf('=');
    search(cookie, 'cookie:', cookie.slice(0, equals === -1 ? undefined : equals).trim(), places);
  }
}

function startsWithBasic(value: string): boolean {
  return (value.charCodeAt(0) | 0x20) === 0x62 && BASIC.test(value);
}

function searchQuery(query: string, places: PlaceholderPlace[]): void {
  for (const parameter of query.split('&')) {
    const text = decodeComponent(parameter);
    if (text.includes(PREFIX)) search(text, 'query:', parameterName(parameter), places);
  }
}

/** `kind` and `name` are the place of what is found. */
function search(text: string, kind: string, name: string, places: PlaceholderPlace[]): void {
  for (let at = text.indexOf(PREFIX); at !== -1; at = text.indexOf(PREFIX, at + PREFIX.length)) {
    const start = at + PREFIX.length;
    const grantId = parseUuid(text.slice(start, start + UUID_LENGTH));
    if (grantId !== undefined) places.push({ grantId, place: kind + name });
  }
}
