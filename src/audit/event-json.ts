import type { AuditDraft, EventSource } from './event.ts';

/** Some members of an event, which are often those of the event before it. */
interface Group {
  /** `"name":value,"name":value …` */
  text(draft: AuditDraft): string;
  /** Whether these members of both have the same text. */
  same(a: AuditDraft, b: AuditDraft): boolean;
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
};

const STEPS: Group = {
  text: ({ injected, stages }) => membersOf({ injected, stages }),
  same: (a, b) => sameList(a.injected, b.injected) && sameList(a.stages, b.stages),
};

/**
 * Writes events as JSON. Most members of an event are those of the one before it, so the text of each group of them is kept and used again
 * for as long as they are the same: to write every member of every event anew costs more than twice as much.
 */
export class EventWriter {
  readonly #source: string;
  readonly #who = new Kept(WHO);
  readonly #where = new Kept(WHERE);
  readonly #using = new Kept(WITH);
  readonly #outcome = new Kept(OUTCOME);
  readonly #steps = new Kept(STEPS);

  /** `source`: of this process. */
  constructor({ proxy, process }: EventSource) {
    this.#source = membersOf({ proxy, process });
  }

  /** The event that `draft` becomes, as JSON of one line. `seq`: its number. */
  write(draft: AuditDraft, seq: number): string {
    const { id, type, start, durationMs, path, queryNames, bytesIn, bytesOut, retries } = draft;
    const names = queryNames.length === 0 ? '[]' : JSON.stringify(queryNames);
    return (
      `{"v":1,"id":${JSON.stringify(id)},"type":"${type}","start":${JSON.stringify(start)},"durationMs":${String(durationMs)},` +
      `${this.#who.text(draft)},${this.#where.text(draft)},"path":${JSON.stringify(path)},"queryNames":${names},` +
      `${this.#using.text(draft)},${this.#outcome.text(draft)},"bytesIn":${String(bytesIn)},"bytesOut":${String(bytesOut)},` +
      `"retries":${String(retries)},${this.#steps.text(draft)},${this.#source},"seq":${String(seq)}}`
    );
  }
}

/** A group with its last text. */
class Kept {
  readonly #group: Group;
  #last: AuditDraft | undefined;
  #text = '';

  constructor(group: Group) {
    this.#group = group;
  }

  text(draft: AuditDraft): string {
    if (this.#last === undefined || !this.#group.same(draft, this.#last)) {
      const { warnings, injected, stages } = draft;
      // The lists belong to an exchange that may still write into them.
      this.#last = { ...draft, warnings: [...warnings], injected: [...injected], stages: [...stages] };
      this.#text = this.#group.text(draft);
    }
    return this.#text;
  }
}

function membersOf(members: Partial<AuditDraft & EventSource>): string {
  return JSON.stringify(members).slice(1, -1);
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}
