import { resolve } from 'node:path';
import { parseNetwork } from '../message/network.ts';
import { parseUuid } from '../message/uuid.ts';
import { hostText, readHost } from './hosts.ts';
import type { Merged } from './merge.ts';
import type { ProblemList } from './problem.ts';
import { unreadable } from './read-file.ts';
import type { Settings } from './schema.ts';
import type { Path } from './tree.ts';

/** Reads the values that the schema cannot judge, each on its own; what is wrong goes to `problems`. */
export class ValueReader {
  readonly #home: string;
  readonly #merged: Merged;
  readonly #problems: ProblemList;

  constructor(home: string, merged: Merged, problems: ProblemList) {
    this.#home = home;
    this.#merged = merged;
    this.#problems = problems;
  }

  /** `path`, absolute. */
  file(path: string): string {
    return resolve(this.#home, path);
  }

  /** An existing file or folder, absolute. */
  existing(path: Path, text: string, kind: 'file' | 'folder'): string {
    const file = this.file(text);
    const reason = unreadable(file, kind);
    if (reason !== undefined) {
      const right = `name a ${kind} that exists; relative paths start at the home folder`;
      this.#problems.add(this.#merged.where(path), `names a ${kind} that cannot be read (${reason})`, right, 'file_unreadable');
    }
    return file;
  }

  /** The address of a listener. */
  listenHost(path: Path, text: string): string {
    // A zone belongs to the machine: `fe80::1%eth0` is fine for a listener and nowhere else.
    const zone = /^fe80:[0-9a-f:]*%[\w.-]+$/i.test(text);
    const entry = zone ? { host: text, port: undefined } : readHost(text, false);
    if ('wrong' in entry) this.#refuse(path, `is no address: ${entry.wrong}`, 'use an IP address such as 127.0.0.1');
    else if (entry.port !== undefined) this.#refuse(path, 'holds a port', 'write the address alone, and the port into port');
    else return entry.host;
    return text;
  }

  /** A list of hosts, each in its one spelling; an IPv6 address stands in brackets where patterns (`wildcards`) stand, else bare. */
  hosts(path: Path, texts: readonly string[], wildcards: boolean): string[] {
    return texts.map((text, index) => {
      const entry = readHost(text, wildcards);
      if (!('wrong' in entry)) return hostText(entry, wildcards);
      const right = wildcards
        ? 'use example.com, *.example.com or example.com:8443'
        : 'use example.com, example.com:8443 or one IP address';
      this.#refuse([...path, index], `is no host: ${entry.wrong}`, right);
      return text;
    });
  }

  /** Networks in CIDR notation, and single addresses. */
  networks(path: Path, texts: readonly string[]): readonly string[] {
    for (const [index, text] of texts.entries()) {
      if (parseNetwork(text) === undefined) this.#refuse([...path, index], 'is no network', 'use 10.0.0.0/8 or one IP address');
    }
    return texts;
  }

  /** Grant ids by host: `host` for port 443, else `host:port`. */
  defaultGrants(grants: Settings['default_grants']): Record<string, string> {
    const read: Record<string, string> = {};
    for (const [key, value] of Object.entries(grants)) {
      const path = ['default_grants', key];
      const entry = readHost(key, false);
      const grant = parseUuid(value);
      if ('wrong' in entry) {
        this.#refuse(path, `is no host: ${entry.wrong}`, 'use example.com or example.com:8443');
        continue;
      }
      if (grant === undefined) this.#refuse(path, 'is no grant id', 'use the UUID that `alter-proxy grant list` shows');
      const host = hostText({ ...entry, port: entry.port === 443 ? undefined : entry.port }, false);
      if (Object.hasOwn(read, host)) this.#refuse(path, 'names a host that stands twice', 'keep one of them');
      read[host] = grant ?? value;
    }
    return read;
  }

  /** The URL of a Redis server, as given. No message repeats it: it may hold a password. */
  redisUrl(text: string): string {
    const wrong = redisUrlProblem(text);
    if (wrong !== undefined) this.#refuse(['store', 'url'], ...wrong);
    return text;
  }

  #refuse(path: Path, what: string, right: string): void {
    this.#problems.add(this.#merged.where(path), what, right);
  }
}

const PASSWORD_ELSEWHERE = 'use store.password_file or ALTER_STORE_PASSWORD';
const REDIS_FORM = 'use redis://host:6379 or rediss://host:6379';

function redisUrlProblem(text: string): readonly [what: string, right: string] | undefined {
  const url = /^rediss?:\/\/[^\s\\]+$/.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) return /:[^/@]+@/.test(text) ? ['holds a password', PASSWORD_ELSEWHERE] : ['is no Redis URL', REDIS_FORM];
  if (url.password !== '') return ['holds a password', PASSWORD_ELSEWHERE];
  if (url.username !== '') return ['holds a user name', 'use store.username'];
  if (url.hostname === '') return ['names no host', REDIS_FORM];
  if (url.search !== '' || url.hash !== '') return ['holds options', 'use the settings of store for them'];
  return /^(\/\d{0,5})?$/.test(url.pathname) ? undefined : ['has a path that is no database number', 'use /0 to /99999, or nothing'];
}
