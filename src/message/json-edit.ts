/** Why a member cannot be written. Quotes nothing of the text: it may hold what must not be shown. */
export class JsonEditError extends Error {
  override readonly name = 'JsonEditError';
}

/**
 * `json` with the text `value` as the member that `path` leads to: objects on the way are made where they are missing, and a value that is
 * there is replaced. Everything else stays character for character: numbers of any size, order, spaces and escapes.
 * @throws JsonEditError when `json` is not JSON, when something on the way is no object, or a member on the way stands there twice, so that two
 * readers could take it for two different things.
 */
export function setJsonMember(json: string, path: readonly string[], value: string): string {
  try {
    JSON.parse(json);
  } catch {
    throw new JsonEditError('the body is not JSON');
  }
  const literal = JSON.stringify(value);
  let at = skipSpace(json, 0);
  for (const [depth, name] of path.entries()) {
    const { found, close, empty } = findMember(json, at, name);
    if (found === undefined) {
      const made = path.slice(depth + 1).reduceRight((inner, key) => `{${JSON.stringify(key)}:${inner}}`, literal);
      return `${json.slice(0, close)}${empty ? '' : ','}${JSON.stringify(name)}:${made}${json.slice(close)}`;
    }
    at = found;
  }
  return json.slice(0, at) + literal + json.slice(skipValue(json, at));
}

/** What {@link findMember} finds in an object of valid JSON. */
interface FoundMember {
  /** Where the value of the member begins. */
  readonly found: number | undefined;
  /** Behind the last member, or behind the brace of an empty object. */
  readonly close: number;
  readonly empty: boolean;
}

function findMember(json: string, start: number, name: string): FoundMember {
  if (json[start] !== '{') throw new JsonEditError('what should hold the field in the body is not a JSON object');
  let at = skipSpace(json, start + 1);
  if (json[at] === '}') return { found: undefined, close: start + 1, empty: true };
  let found: number | undefined;
  for (;;) {
    const keyEnd = skipString(json, at);
    const key: unknown = JSON.parse(json.slice(at, keyEnd));
    const value = skipSpace(json, skipSpace(json, keyEnd) + 1);
    if (key === name) {
      if (found !== undefined) throw new JsonEditError('a member on the way to the field stands in the body twice');
      found = value;
    }
    const end = skipValue(json, value);
    const next = skipSpace(json, end);
    if (json[next] === '}') return { found, close: end, empty: false };
    at = skipSpace(json, next + 1);
  }
}

function skipSpace(json: string, at: number): number {
  let end = at;
  while (json[end] === ' ' || json[end] === '\n' || json[end] === '\r' || json[end] === '\t') end += 1;
  return end;
}

/** Behind the string that begins at `at`. */
function skipString(json: string, at: number): number {
  let end = at + 1;
  while (json[end] !== '"') end += json[end] === '\\' ? 2 : 1;
  return end + 1;
}

/** Behind the value that begins at `at`. Counts brackets: nothing here is as deep as the text may be. */
function skipValue(json: string, at: number): number {
  let depth = 0;
  let end = at;
  do {
    const character = json[end];
    if (character === '"') {
      end = skipString(json, end);
      continue;
    }
    if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') depth -= 1;
    else if (depth === 0) return skipScalar(json, end);
    end += 1;
  } while (depth > 0);
  return end;
}

/** Behind the number or the word that begins at `at`. */
function skipScalar(json: string, at: number): number {
  let end = at;
  while (end < json.length && !/[\s,\]}]/.test(json.charAt(end))) end += 1;
  return end;
}
