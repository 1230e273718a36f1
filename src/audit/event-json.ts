import type { AuditDraft, EventSource } from './event.ts';

/** Some members of an event, which are often those of the event before it. */
interface Group {
  /** `"name":value,"name":value …` */
  text(draft: AuditDraft): string;
  /** Whether these members of both have the same text. */
  same(a: AuditDraft, b: AuditDraft): boolean;
  /** `draft` with lists of its own, where {@link same} looks at lists: those of an exchange may still be written into. */
  own?(draft: AuditDraft): AuditDraft;
}

const WHO: Group = {
  text: ({ app, keyId, agent, idp, user, group, principal, caller, clientAddress }) =>
    membersOf({ app, keyId, agent, idp, user, group, principal, caller, clientAddress }),
  same: (a, b) =>
    a.app === b.app &&
    a.keyId === b.keyId &&
    a.agent === b.agent &&
    a.idp === b.idp &&
    a.user === b.user &&
    a.group === b.group &&
    a.principal === b.principal &&
    a.caller === b.caller &&
    a.clientAddress === b.clientAddress,
};

const WHERE: Group = {
  text: ({ protocol, method, scheme, host, port }) => membersOf({ protocol, method, scheme, host, port }),
  same: (a, b) => a.protocol === b.protocol && a.method === b.method && a.scheme === b.scheme && a.host === b.host && a.port === b.port,
};

const WITH: Group = {
  text: ({ provider, secretId, secretVersion, grantId, grantLabel, reason, context }) =>
    membersOf({ provider, secretId, secretVersion, grantId, grantLabel, reason, context }),
  same: (a, b) =>
    a.provider === b.provider &&
    a.secretId === b.secretId &&
    a.secretVersion === b.secretVersion &&
    a.grantId === b.grantId &&
    a.grantLabel === b.grantLabel &&
    a.reason === b.reason &&
    a.context === null &&
    b.context === null,
};

const OUTCOME: Group = {
  text: ({ outcome, code, rule, warnings, status }) => membersOf({ outcome, code, rule, warnings, status }),
  same: (a, b) =>
    a.outcome === b.outcome && a.code === b.code && a.rule === b.rule && a.status === b.status && sameList(a.warnings, b.warnings),
  own: (draft) => ({ ...draft, warnings: [...draft.warnings] }),
};

const STEPS: Group = {
  text: ({ retries, injected, stages }) => membersOf({ retries, injected, stages }),
  same: (a, b) => a.retries === b.retries && sameList(a.injected, b.injected) && sameList(a.stages, b.stages),
  own: (draft) => ({ ...draft, injected: [...draft.injected], stages: [...draft.stages] }),
};

const FROM_TYPE_TO_START: Readonly<Record<AuditDraft['type'], string>> = {
  request: '","type":"request","start":"',
  tunnel: '","type":"tunnel","start":"',
  connect: '","type":"connect","start":"',
};

/** Visible ASCII and spaces without quote and backslash: what JSON writes as it is. */
const PLAIN = /^[ !#-[\]-~]*$/;

/**
 * Writes events as JSON. Most members of an event are those of the one before it, so the text of each group of them is kept and used again
 * for as long as they are the same: to write every member of every event anew costs more than twice as much. What lies between two members
 * that differ each time is one piece, because each piece of a text costs as much again when the text is read.
 */
export class EventWriter {
  readonly #whoAndWhere = new Kept(',', [WHO, WHERE], ',"path":"');
  readonly #usingAndOutcome = new Kept('', [WITH, OUTCOME], ',"bytesIn":');
  readonly #stepsAndSource: Kept;

  /** `source`: of this process. */
  constructor({ proxy, process }: EventSource) {
    this.#stepsAndSource = new Kept(',', [STEPS], `,${membersOf({ proxy, process })},"seq":`);
  }

  /** The event that `draft` becomes, as JSON of one line. `seq`: its number. */
  write(draft: AuditDraft, seq: number): string {
    const { id, type, start, durationMs, path, queryNames, bytesIn, bytesOut } = draft;
    const names = queryNames.length === 0 ? '","queryNames":[],' : `","queryNames":${JSON.stringify(queryNames)},`;
    return (
      `{"v":1,"id":"${escaped(id)}${FROM_TYPE_TO_START[type]}${escaped(start)}","durationMs":${String(durationMs)}` +
      `${this.#whoAndWhere.text(draft)}${escaped(path)}${names}${this.#usingAndOutcome.text(draft)}${String(bytesIn)}` +
      `,"bytesOut":${String(bytesOut)}${this.#stepsAndSource.text(draft)}${String(seq)}}`
    );
  }
}

/** Neighbouring groups, with what stands before and after them, as one text. */
class Kept {
  readonly #before: string;
  readonly #groups: readonly KeptGroup[];
  readonly #after: string;
  #text = '';

  constructor(before: string, groups: readonly Group[], after: string) {
    this.#before = before;
    this.#groups = groups.map((group) => new KeptGroup(group));
    this.#after = after;
  }

  text(draft: AuditDraft): string {
    let changed = false;
    for (const group of this.#groups) if (group.take(draft)) changed = true;
    // Joined, and not added: that text would consist of its parts, and cost as much as they do whenever it is read.
    if (changed) this.#text = [this.#before, this.#groups.map(({ text }) => text).join(','), this.#after].join('');
    return this.#text;
  }
}

/** A group with its last text. */
class KeptGroup {
  readonly #group: Group;
  #last: AuditDraft | undefined;
  #text = '';

  constructor(group: Group) {
    this.#group = group;
  }

  get text(): string {
    return this.#text;
  }

  /** Whether the text is another one with `draft`. */
  take(draft: AuditDraft): boolean {
    if (this.#last !== undefined && this.#group.same(draft, this.#last)) return false;
    this.#last = this.#group.own?.(draft) ?? draft;
    this.#text = this.#group.text(draft);
    return true;
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
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}
