import { AlterError, CommandError } from '../errors.ts';
import { JsonEditError, setJsonMember } from '../message/json-edit.ts';
import { withoutParameters } from '../message/query.ts';
import { memberPath } from '../providers/member-path.ts';
import type { Credential } from './credential.ts';
import type { Draft } from './injector.ts';
import { percentEncode } from './percent-encoding.ts';
import type { PreparedRule } from './prepared-rule.ts';

/** Largest body that is read for a field, unless the provider says otherwise. */
export const DEFAULT_MAX_BODY_BYTES = 1024 * 1024;

const FORM = /^application\/x-www-form-urlencoded$/i;
const JSON_TYPE = /^application\/(?:[a-z0-9!#$&^_.+-]+\+)?json$/i;
const UTF8 = /^\s*charset\s*=\s*"?(?:utf-?8|us-ascii)"?\s*$/i;
/** A quoted string (RFC 9110 §5.6.4), or what stands behind a quote that nothing closes. */
const QUOTED = /"(?:[^"\\]|\\.)*("?)/g;

/** What a client says of the content itself would be untrue of the content with a credential in it. */
const DIGESTS = new Set(['content-md5', 'digest', 'content-digest', 'repr-digest']);

/** A rule on one field of a body. */
interface BodyFieldRule {
  readonly format: string;
  readonly maxBytes?: number;
}

/** `form_field`: one field of an `application/x-www-form-urlencoded` body. The others stay byte for byte. */
export function prepareFormField(rule: BodyFieldRule & { readonly name: string }, credential: Credential): PreparedRule {
  const value = checked(rule.name, credential.render(rule.format));
  const encoded = percentEncode(value);
  const field = `${percentEncode(rule.name)}=${encoded}`;
  const edit = (content: Buffer): Buffer => Buffer.from(replaceField(content.toString('latin1'), rule.name, field), 'latin1');
  return {
    place: `body:${rule.name}`,
    readsBody: true,
    apply: (draft) => rewrite(draft, FORM, rule, edit),
    sensitive: credential.hides(rule.format) ? [value, encoded] : [],
  };
}

/** `json_field`: one member of a JSON body. Everything else stays byte for byte. */
export function prepareJsonField(rule: BodyFieldRule & { readonly path: string }, credential: Credential): PreparedRule {
  const value = checked(rule.path, credential.render(rule.format));
  const path = memberPath(rule.path);
  if (path === undefined) throw new CommandError('record_invalid', 'the path of an injected JSON field does not name a member');
  const edit = (content: Buffer): Buffer => Buffer.from(setMember(textOf(content), path, value));
  return {
    place: `body:${rule.path}`,
    readsBody: true,
    apply: (draft) => rewrite(draft, JSON_TYPE, rule, edit),
    sensitive: credential.hides(rule.format) ? [value, JSON.stringify(value).slice(1, -1)] : [],
  };
}

function checked(name: string, value: string): string {
  if (name === '' || value === '') throw new CommandError('record_invalid', 'an injected field of a body needs a name and a value');
  return value;
}

async function rewrite(draft: Draft, type: RegExp, rule: BodyFieldRule, edit: (content: Buffer) => Buffer): Promise<void> {
  const { body } = draft;
  if (body === undefined) throw unsuitable('the request has no body, and the credential belongs into one');
  checkType(draft, type);
  const content = await body.read(rule.maxBytes ?? DEFAULT_MAX_BODY_BYTES);
  body.replace(edit(content));
  draft.headers.filter(({ folded }) => !DIGESTS.has(folded));
}

/** Whatever else a server could take the body for, the field would be written into something else. */
function checkType({ headers }: Draft, type: RegExp): void {
  const codings = headers.getAll('content-encoding');
  if (codings.some((coding) => coding.trim().toLowerCase() !== 'identity')) throw unsuitable('the body is compressed');
  const [given, ...others] = headers.getAll('content-type');
  const [mediaType = '', ...parameters] = partsOf(given ?? '');
  if (others.length > 0 || !type.test(mediaType.trim()))
    throw unsuitable('its Content-Type is not the one that this provider takes its credential in');
  const charsets = parameters.filter((parameter) => /^\s*charset\b/i.test(parameter));
  if (charsets.length > 1 || charsets.some((charset) => !UTF8.test(charset))) throw unsuitable('it is not in UTF-8');
}

/** The media type and its parameters. A semicolon in quotes separates nothing. */
function partsOf(contentType: string): string[] {
  return contentType.replace(QUOTED, (text, end: string) => (end === '' ? text : text.replaceAll(';', ' '))).split(';');
}

/** Over the first field of that name, or at the end. */
function replaceField(form: string, name: string, field: string): string {
  if (form === '') return field;
  const names = new Set([name]);
  const pieces = form.split('&');
  const kept = pieces.map((piece) => withoutParameters(piece, names));
  const first = kept.findIndex((piece, index) => piece !== pieces[index]);
  const at = first === -1 ? pieces.length : kept[first] === undefined ? first : first + 1;
  return [...kept.slice(0, at), field, ...kept.slice(at)].filter((piece) => piece !== undefined).join('&');
}

function textOf(content: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    throw unsuitable('it is not in UTF-8');
  }
}

function setMember(json: string, path: readonly string[], value: string): string {
  try {
    return setJsonMember(json, path, value);
  } catch (error) {
    if (error instanceof JsonEditError) throw unsuitable(error.message);
    throw error;
  }
}

function unsuitable(detail: string): AlterError {
  return new AlterError('unsuitable_body', { detail });
}
