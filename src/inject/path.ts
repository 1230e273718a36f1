import { AlterError, CommandError } from '../errors.ts';
import { PLACEHOLDER } from '../message/placeholder.ts';
import { canonicalUrl } from '../message/url.ts';
import { fieldReferences, renderFormat } from '../providers/format.ts';
import type { Credential } from './credential.ts';
import { percentEncode } from './percent-encoding.ts';
import type { PreparedRule } from './prepared-rule.ts';

/** Characters that may stand in a segment as they are (pchar, RFC 3986 §3.3), as clients of such APIs write them. */
const KEPT = /%(?:3A|40|21|24|26|27|28|29|2A|2B|2C|3B|3D)/g;

/** Where a credential stands in a path. */
interface PathRule {
  readonly format: string;
  readonly under?: string;
}

/**
 * `path`: one segment of the path. It replaces the segment at its place when that is a placeholder or has the form of the credential (the
 * constant text of the format around anything); otherwise it is put in there.
 */
export function preparePath(rule: PathRule, credential: Credential): PreparedRule {
  const text = credential.render(rule.format);
  const segment = percentEncode(text).replace(KEPT, decodeURIComponent);
  checkSegment(segment);
  const split = splitAtPlace(rule);
  return {
    place: 'path',
    apply: (draft) => {
      const { path, query } = draft.url;
      const { before, after } = split(path);
      draft.url = { path: before + segment + after, query };
    },
    redactPath: pathRedaction(rule),
    sensitive: credential.hides(rule.format) ? [text, segment] : [],
  };
}

/** A function that puts the format of the rule in place of a segment where a credential stands, whoever wrote it there. */
export function pathRedaction(rule: PathRule): (path: string) => string {
  const split = splitAtPlace(rule);
  return (path) => {
    const { before, own, after } = split(path);
    return own ? before + rule.format + after : path;
  };
}

/** A function that leaves that segment out. */
export function pathWithoutCredential(rule: PathRule): (path: string) => string {
  const split = splitAtPlace(rule);
  return (path) => {
    const { before, own, after } = split(path);
    return own ? before + after.slice(1) : path;
  };
}

/** A path around the place of the credential. `after` starts with a slash, or is empty at the end of the path. */
interface SplitPath {
  readonly before: string;
  /** Whether a segment stood there that the credential takes the place of. */
  readonly own: boolean;
  readonly after: string;
}

function splitAtPlace({ format, under }: PathRule): (path: string) => SplitPath {
  const ownForm = ownSegment(format);
  const prefix = under === undefined ? undefined : `${under}/`;
  return (path) => {
    const start = prefix !== undefined && path.startsWith(prefix) ? prefix.length : 1;
    const slash = path.indexOf('/', start);
    const end = slash === -1 ? path.length : slash;
    const own = ownForm.test(path.slice(start, end));
    return { before: path.slice(0, start), own, after: own ? path.slice(end) : `/${path.slice(start)}` };
  };
}

/** Matches a segment of the caller's that the credential takes the place of. */
function ownSegment(format: string): RegExp {
  const quoted = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const constant = renderFormat(format, () => '');
  const value = constant === '' ? PLACEHOLDER.source : '.+';
  const parts = format.split(/\{[^}]*\}/).map(quoted);
  return new RegExp(fieldReferences(format).length === 0 ? `^${quoted(format)}$` : `^${parts.join(value)}$`, 'i');
}

/** The rest of the proxy has seen the path without this segment: it must change nothing about how the path is read. */
function checkSegment(segment: string): void {
  try {
    if (segment !== '' && canonicalUrl(`/${segment}`).path === `/${segment}`) return;
  } catch (error) {
    if (!(error instanceof AlterError)) throw error;
  }
  throw new CommandError('record_invalid', 'the value for the path is empty, or holds what cannot stand in one segment of a path');
}
