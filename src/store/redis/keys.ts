import { RECORD_KINDS, refText, type RecordKind, type RecordRef } from '../store.ts';

/** Names of everything that the store keeps in Redis. The app in the name lets Redis ACLs keep apps apart. */
export class RedisKeys {
  readonly #namespace: string;

  constructor(namespace: string) {
    this.#namespace = namespace;
  }

  /** `{ns}:{app}:grant:<id>`, `{ns}:key:<sha256>`. */
  record(ref: RecordRef): string {
    return `${this.#namespace}:${refText(ref)}`;
  }

  /** Sorted set of the ids of one kind, all with score 0. */
  index(app: string, kind: RecordKind): string {
    return kind === 'key' ? `${this.#namespace}:index:key` : `${this.#namespace}:${app}:index:${kind}`;
  }

  audit(app: string): string {
    return `${this.#namespace}:${app}:audit`;
  }

  /** Hash of the batches of audit events that were taken last. The tag keeps it in the Cluster slot of the stream, the prefix within the ACL of the app. */
  auditTaken(app: string): string {
    return `${this.audit(app)}:taken:{${this.audit(app)}}`;
  }

  /** Hash of the uses of grants: `<id>:n` is how many, `<id>:t` when last. */
  uses(app: string): string {
    return `${this.#namespace}:${app}:uses`;
  }

  /** Counter of requests; it ends with its window. */
  counter(app: string, name: string): string {
    return `${this.#namespace}:${app}:rate:${name}`;
  }

  /** Prefixes of the records that are cached; nothing else, or every audit event would be told to every proxy. */
  cachedPrefixes(apps: readonly string[]): string[] {
    const kinds = RECORD_KINDS.filter((kind) => kind !== 'key');
    return [...new Set(apps)].flatMap((app) => kinds.map((kind) => `${this.#namespace}:${app}:${kind}:`)).concat(`${this.#namespace}:key:`);
  }

  /** The ref text within the name of a record. */
  refTextOf(key: string): string {
    return key.slice(this.#namespace.length + 1);
  }
}
