import type { AuditDraft, EventSource } from './event.ts';

/** Neighbouring members of an event, which are often those of an event before it. */
interface Group {
  /** `"name":value,"name":value …` */
  text(draft: AuditDraft): string;
  /** Whether these members of both have the same text. What differs most often is compared first. */
  same(a: AuditDraft, b: AuditDraft): boolean;
  /** `draft` with lists of its own, where {@link same} looks at lists: those of an exchange may still be written into. */
  own?(draft: AuditDraft): AuditDraft;
}

const WHO_AND_WHERE: Group = {
  text: ({ app, keyId, agent, idp, user, group, principal, caller, clientAddress, protocol, method, scheme, host, port }) =>
    membersOf({ app, keyId, agent, idp, user, group, principal, caller, clientAddress, protocol, method, scheme, host, port }),
  same: (a, b) =>
    a.host === b.host &&
    a.keyId === b.keyId &&
    a.user === b.user &&
    a.clientAddress === b.clientAddress &&
    a.method === b.method &&
    a.caller === b.caller &&
    a.app === b.app &&
    a.agent === b.agent &&
    a.idp === b.idp &&
    a.group === b.group &&
    a.principal === b.principal &&
    a.protocol === b.protocol &&
    a.scheme === b.scheme &&
    a.port === b.port,
};

const WITH_AND_OUTCOME: Group = {
  text: ({ provider, secretId, secretVersion, grantId, grantLabel, reason, context, outcome, code, rule, warnings, status }) =>
    membersOf({ provider, secretId, secretVersion, grantId, grantLabel, reason, context, outcome, code, rule, warnings, status }),
  same: (a, b) =>
    a.grantId === b.grantId &&
    a.status === b.status &&
    a.reason === b.reason &&
    a.context === null &&
    b.context === null &&
    a.code === b.code &&
    a.rule === b.rule &&
    a.outcome === b.outcome &&
    a.provider === b.provider &&
    a.secretId === b.secretId &&
    a.secretVersion === b.secretVersion &&
    a.grantLabel === b.grantLabel &&
    sameList(a.warnings, b.warnings),
  own: (draft) => ({ ...draft, warnings: [...draft.warnings] }),
};

const STEPS: Group = {
  text: ({ retries, injected, stages }) => membersOf({ retries, injected, stages }),
  same: (a, b) => a.retries === b.retries && sameList(a.stages, b.stages) && sameList(a.injected, b.injected),
  own: (draft) => ({ ...draft, injected: [...draft.injected], stages: [...draft.stages] }),
};

const FROM_TYPE_TO_START: Readonly<Record<AuditDraft['type'], string>> = {
  request: '","type":"request","start":"',
  tunnel: '","type":"tunnel","start":"',
  connect: '","type":"connect","start":"',
};

/** Visible ASCII and spaces without quote and backslash: what JSON writes as it is. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** Texts of a group that are kept: for so many combinations of clients, hosts and grants that are in use at a time. */
const MAX_KEPT = 32;

/**
 * Writes events as JSON. Most members of an event are those of an event shortly before it, so the last texts of each group of them are kept and
 * used again: to write every member of every event anew costs ten times as much. What lies between two members that differ each time is one
 * piece, because each piece of a text costs as much again when the text is read.
 */
export class EventWriter {
  readonly #whoAndWhere = new Kept(',', WHO_AND_WHERE, ',"path":"');
  readonly #withAndOutcome = new Kept('', WITH_AND_OUTCOME, ',"bytesIn":');
  readonly #stepsAndSource: Kept;

  /** `source`: of this process. */
  constructor({ proxy, process }: EventSource) {
    this.#stepsAndSource = new Kept(',', STEPS, `,${membersOf({ proxy, process })},"seq":`);
  }

  /** The event that `draft` becomes, as JSON of one line. `seq`: its number. */
  write(draft: AuditDraft, seq: number): string {
    const { id, type, start, durationMs, path, queryNames, bytesIn, bytesOut } = draft;
    const names = queryNames.length === 0 ? '","queryNames":[],' : `","queryNames":${JSON.stringify(queryNames)},`;
    return (
      `{"v":1,"id":"${escaped(id)}${FROM_TYPE_TO_START[type]}${escaped(start)}","durationMs":${String(durationMs)}` +
      `${this.#whoAndWhere.text(draft)}${escaped(path)}${names}${this.#withAndOutcome.text(draft)}${String(bytesIn)}` +
      `,"bytesOut":${String(bytesOut)}${this.#stepsAndSource.text(draft)}${String(seq)}}`
    );
  }
}

/** A group with its last texts, each with what stands before and after it. */
class Kept {
  readonly #before: string;
  readonly #group: Group;
  readonly #after: string;
  readonly #texts: { readonly draft: AuditDraft; readonly text: string }[] = [];
  /** Where the text is that was used last, which is looked at first. */
  #last = 0;
  /** Where the next text goes. */
  #next = 0;

  constructor(before: string, group: Group, after: string) {
    this.#before = before;
    this.#group = group;
    this.#after = after;
  }

  text(draft: AuditDraft): string {
    const last = this.#texts[this.#last];
    if (last !== undefined && this.#group.same(draft, last.draft)) return last.text;
    const at = this.#texts.findIndex((kept) => this.#group.same(draft, kept.draft));
    if (at !== -1) this.#last = at;
    return this.#texts[at]?.text ?? this.#write(draft);
  }

  #write(draft: AuditDraft): string {
    // Joined, and not added: that text would consist of its parts, and cost as much as they do whenever it is read.
    const text = [this.#before, this.#group.text(draft), this.#after].join('');
    // One with a context is not even the same as itself: it would never be found, and take the place of one that is.
    if (!this.#group.same(draft, draft)) return text;
    this.#texts[this.#next] = { draft: this.#group.own?.(draft) ?? draft, text };
    this.#last = this.#next;
    this.#next = (this.#next + 1) % MAX_KEPT;
    return text;
  }
}

/** `text` as it stands between the quotes of a JSON string. */
function escaped(text: string): string {
  return PLAIN.test(text) ? text : JSON.stringify(text).slice(1, -1);
}

function membersOf(members: Partial<AuditDraft & EventSource>): string {
  return JSON.stringify(members).slice(1, -1);
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}
