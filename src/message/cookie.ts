import { decodeComponent } from './query.ts';

/**
 * The names under which some server may read one `name=value` of a Cookie field, folded to one spelling: escapes decoded, in lower case, and
 * with an underscore for the dots, spaces and brackets that PHP makes one of. More than one where a comma stands in it, which older readers
 * take for the end of a cookie (RFC 2965 §3.3.4). A text without `=` is a name to some.
 */
export function cookieNames(pair: string): string[] {
  return pair.split(',').map((part) => {
    const equals = part.indexOf('=');
    const name = decodeComponent(equals === -1 ? part : part.slice(0, equals)).trim();
    return name
      .replace(/^"(.*)"$/, '$1')
      .toLowerCase()
      .replace(/[ .[]/g, '_');
  });
}
