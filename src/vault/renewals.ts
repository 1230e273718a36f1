import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { AlterError, CommandError } from '../errors.ts';
import type { CredentialOwner } from '../inject/prepare.ts';
import { Secret, reveal } from '../secret/reveal.ts';
import type { Store } from '../store/store.ts';
import { ChangeTrail } from './change-trail.ts';
import type { Keyring } from './keyring.ts';
import { lineageOf } from './lineage.ts';
import type { SecretRecord } from './records.ts';
import { SealedRecords } from './sealed-records.ts';

/** A proxy that died while it renewed keeps the others waiting for so long. Longer than any exchange, and than clocks are apart. */
const CLAIM_MS = 30_000;
/** So long a proxy waits for another one. */
const PATIENCE_MS = 15_000;
const POLL_MS = 50;
/** Attempts to store a new value for which a request waits. */
const WRITE_ATTEMPTS = 3;
/** Between later attempts. Short: once the claim has ended, another proxy may be there as soon as the store is back. */
const WRITE_AGAIN_MS = 500;

/** The {@link Renewals} of one proxy. */
export function createRenewals(
  { app, name }: { readonly app: string; readonly name: string },
  { store, keyring, log }: { readonly store: Store; readonly keyring: Keyring; readonly log: RenewalsOptions['log'] },
): Renewals {
  const by = `proxy:${name}`;
  const trail = new ChangeTrail({ store, app, by, now: Date.now });
  return new Renewals({ records: new SealedRecords(app, store, keyring), trail, log });
}

/** What {@link Renewals} need. */
export interface RenewalsOptions {
  readonly records: SealedRecords;
  /** It says who renews: `proxy:<name>`. */
  readonly trail: ChangeTrail;
  readonly log: { warn(fields: Readonly<Record<string, unknown>>, message: string): void };
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** How long to wait for another proxy. Default: 15 seconds. */
  readonly patienceMs?: number;
}

/** A renewal that is over, but not yet in the store. */
interface Unsaved {
  /** Its claim, to be given back. */
  readonly by: string;
  readonly before: string;
  /** What was given in the place of `before`, if anything was. */
  readonly value: Secret | undefined;
}

/**
 * Replaces a refresh token in place. Many providers take a refresh token once, and end the whole line when it comes twice: so one proxy at a
 * time uses it, whoever waits reads it anew, and the new one is stored before anything that came with it is used.
 */
export class Renewals {
  readonly #options: RenewalsOptions;
  readonly #now: () => number;
  readonly #unsaved = new Map<string, Unsaved>();
  readonly #underWay = new Map<Promise<void>, CredentialOwner>();
  #closing = false;
  #closed = false;

  constructor(options: RenewalsOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /**
   * Does `work` with the value of `field` as it stands now, and stores what it resolves with. Rejects with what `work` rejects with, and with
   * AlterError: `store_unavailable`, `shutting_down` after {@link close}, and `credential_unavailable` when the secret was changed meanwhile or
   * another proxy does not finish.
   */
  async renew(owner: CredentialOwner, field: string, work: (current: Secret) => Promise<Secret | undefined>): Promise<void> {
    if (this.#closing) throw new AlterError('shutting_down');
    await this.#track(owner, this.#renew(owner, field, work));
  }

  /**
   * Begins no more renewals, and waits for those under way, for at most `deadlineMs`: no request may wait for one any more, but what an
   * endpoint has just given would be lost with this process.
   */
  async close(deadlineMs: number): Promise<void> {
    this.#closing = true;
    const waiting = new AbortController();
    await Promise.race([this.#idle(), delay(deadlineMs, undefined, { signal: waiting.signal })]);
    waiting.abort();
    this.#closed = true;
    for (const { app, id } of this.#underWay.values()) {
      this.#options.log.warn({ app, secret: id }, 'the proxy stops while a refresh token is renewed: the new one may be lost');
    }
  }

  async #track(owner: CredentialOwner, renewal: Promise<void>): Promise<void> {
    this.#underWay.set(renewal, owner);
    try {
      await renewal;
    } finally {
      this.#underWay.delete(renewal);
    }
  }

  async #idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay.keys());
  }

  async #renew(owner: CredentialOwner, field: string, work: (current: Secret) => Promise<Secret | undefined>): Promise<void> {
    const by = randomUUID();
    const current = await this.#claim(owner, field, by);
    let next: Secret | undefined;
    try {
      next = await work(new Secret(current));
    } catch (error) {
      await this.#finish(owner, field, { by, before: current, value: undefined }).catch(() => undefined);
      throw error;
    }
    const value = next === undefined || reveal(next) === current ? undefined : next;
    await this.#finish(owner, field, { by, before: current, value });
  }

  /** The value, once nobody else is at it. */
  async #claim(owner: CredentialOwner, field: string, by: string): Promise<string> {
    const unsaved = this.#unsaved.get(keyOf(owner, field));
    if (unsaved !== undefined) await this.#save(owner, field, unsaved);
    const patience = performance.now() + (this.#options.patienceMs ?? PATIENCE_MS);
    let until = 0;
    while (performance.now() < patience) {
      const record = await this.#update(owner, (standing) => this.#claimed(standing, owner, by));
      const value = record.fields[field];
      if (record.renewal?.by === by && value !== undefined) return value;
      until = record.renewal?.until ?? 0;
      if (this.#closing) throw new AlterError('shutting_down');
      await delay(POLL_MS * (1 + Math.random()));
    }
    throw unfinished(until - this.#now());
  }

  /** The record with the claim; the record itself while somebody else has one. */
  #claimed(record: SecretRecord, owner: CredentialOwner, by: string): SecretRecord {
    if (record.status !== 'active') throw new AlterError('credential_revoked');
    if (lineageOf(record) !== owner.lineage) throw changed('the secret was changed a moment ago');
    const now = this.#now();
    const { renewal } = record;
    if (renewal !== undefined && renewal.until > now && renewal.until <= now + 2 * CLAIM_MS) return record;
    return { ...record, renewal: { by, until: now + CLAIM_MS } };
  }

  /** Stores what came of a renewal. What the store does not take now is stored later, but not by this call, which rejects. */
  async #finish(owner: CredentialOwner, field: string, unsaved: Unsaved): Promise<void> {
    this.#unsaved.set(keyOf(owner, field), unsaved);
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#save(owner, field, unsaved);
        return;
      } catch (error) {
        if (attempt === WRITE_ATTEMPTS) {
          void this.#track(owner, this.#saveLater(owner, field, unsaved));
          throw error;
        }
        await delay(POLL_MS * 2 ** attempt);
      }
    }
  }

  /** Tries until it is stored: the next request may come to another proxy, which would use the value before a second time. */
  async #saveLater(owner: CredentialOwner, field: string, unsaved: Unsaved): Promise<void> {
    while (this.#unsaved.get(keyOf(owner, field)) === unsaved && !this.#closed) {
      await delay(WRITE_AGAIN_MS, undefined, { ref: false });
      await this.#save(owner, field, unsaved).catch(() => undefined);
    }
  }

  /** Gives the claim back, with the new value. A value that an operator has stored meanwhile stays. */
  async #save(owner: CredentialOwner, field: string, unsaved: Unsaved): Promise<void> {
    const { by, before, value } = unsaved;
    const outcome = { replaced: false };
    try {
      const { name } = await this.#update(owner, (record) => {
        const { renewal, ...rest } = record;
        const released = renewal?.by === by ? rest : record;
        outcome.replaced = value !== undefined && record.fields[field] === before;
        if (value === undefined || !outcome.replaced) return released;
        return { ...released, fields: { ...record.fields, [field]: reveal(value) }, renewedAt: this.#now() };
      });
      this.#forget(owner, field, unsaved);
      if (outcome.replaced) await this.#tell(owner, name, field);
    } catch (error) {
      if (error instanceof AlterError && error.code === 'credential_revoked') this.#forget(owner, field, unsaved);
      throw error;
    }
  }

  #forget(owner: CredentialOwner, field: string, unsaved: Unsaved): void {
    const key = keyOf(owner, field);
    if (this.#unsaved.get(key) === unsaved) this.#unsaved.delete(key);
  }

  async #update({ app, id }: CredentialOwner, change: (record: SecretRecord) => SecretRecord): Promise<SecretRecord> {
    const { records } = this.#options;
    if (app !== records.app) throw new AlterError('credential_revoked');
    try {
      const record = await records.update('secret', id, change);
      if (record !== undefined) return record;
    } catch (cause) {
      if (!(cause instanceof CommandError)) throw cause;
      throw cause.code === 'store_unreachable'
        ? new AlterError('store_unavailable', { cause })
        : new AlterError('credential_unavailable', { rule: 'secret_changed', detail: 'the secret cannot be changed', cause });
    }
    throw new AlterError('credential_revoked');
  }

  /** The value is stored: that the change cannot be recorded undoes nothing. */
  async #tell({ app, id }: CredentialOwner, label: string, field: string): Promise<void> {
    const { trail, log } = this.#options;
    try {
      await trail.record({ action: 'secret.renew', target: id, label, members: [`fields.${field}`] });
    } catch (error) {
      log.warn({ app, secret: id, error }, 'a refresh token was renewed, and that could not be recorded');
    }
  }
}

function keyOf({ app, id, lineage }: CredentialOwner, field: string): string {
  return `${app}:${id}:${lineage}:${field}`;
}

/** Whoever renews may still finish; else its claim ends in `leftMs`. */
function unfinished(leftMs: number): AlterError {
  const detail = 'another proxy renews the credential and does not finish';
  const retryAfterS = Math.max(1, Math.ceil(leftMs / 1000));
  return new AlterError('credential_unavailable', { rule: 'renewal_unfinished', detail, retryAfterS });
}

function changed(detail: string): AlterError {
  return new AlterError('credential_unavailable', { rule: 'secret_changed', detail, retryAfterS: 1 });
}
