import type { Authority } from './authority.ts';

/** Tells whether an authority is on a list of host patterns. */
export interface HostMatcher {
  matches(authority: Authority): boolean;
}

/**
 * Compiles host patterns: `example.com`, `*.example.com` (any name below it, not the name itself), each with an optional `:port`
 * (`example.com:8443`; without one, every port matches). IPv6 addresses stand in brackets.
 */
export function createHostMatcher(patterns: readonly string[]): HostMatcher {
  /** By host, the ports as text; an empty one: every port. */
  const exact = new Map<string, Set<string>>();
  const suffixes: Suffix[] = [];
  for (const pattern of patterns) {
    const { host, port } = splitPort(pattern.toLowerCase());
    if (host.startsWith('*.')) suffixes.push({ suffix: host.slice(1), port });
    else exact.set(host, (exact.get(host) ?? new Set()).add(port));
  }
  return {
    matches({ host, port }) {
      const ports = exact.get(host);
      if (ports !== undefined && (ports.has('') || ports.has(String(port)))) return true;
      for (const suffix of suffixes) if (isBelow(suffix, host, port)) return true;
      return false;
    },
  };
}

/** What the names below a name end with, and their port as text; an empty one: every port. */
interface Suffix {
  readonly suffix: string;
  readonly port: string;
}

function isBelow({ suffix, port: wanted }: Suffix, host: string, port: number): boolean {
  return host.endsWith(suffix) && host.length > suffix.length && (wanted === '' || wanted === String(port));
}

function splitPort(pattern: string): { readonly host: string; readonly port: string } {
  const [, host = '', port = ''] = /^(.*?)(?::(\d+))?$/.exec(pattern) ?? [];
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port };
}
