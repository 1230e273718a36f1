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
  const exact = new Set<string>();
  const suffixes: { readonly suffix: string; readonly port: string }[] = [];
  for (const pattern of patterns) {
    const { host, port } = splitPort(pattern.toLowerCase());
    if (host.startsWith('*.')) suffixes.push({ suffix: host.slice(1), port });
    else exact.add(`${host} ${port}`);
  }
  return {
    matches({ host, port }) {
      if (exact.has(`${host} `) || exact.has(`${host} ${port}`)) return true;
      return suffixes.some(
        (entry) => host.endsWith(entry.suffix) && host.length > entry.suffix.length && (entry.port === '' || entry.port === String(port)),
      );
    },
  };
}

function splitPort(pattern: string): { readonly host: string; readonly port: string } {
  const [, host = '', port = ''] = /^(.*?)(?::(\d+))?$/.exec(pattern) ?? [];
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port };
}
