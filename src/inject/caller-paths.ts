import type { Authority } from '../message/authority.ts';
import { createHostMatcher } from '../message/host-pattern.ts';
import type { HostMatcher } from '../message/host-pattern.ts';
import type { ProviderTemplate } from '../providers/template.ts';
import { pathRedaction } from './path.ts';

/** The path of a request without a credential that the caller itself put into it. */
export type CallerPathRedaction = (authority: Authority, path: string) => string;

interface Redaction {
  readonly hosts: HostMatcher;
  readonly redact: (path: string) => string;
}

/**
 * Redacts the paths of requests for which no grant was resolved: at the hosts of a provider whose credential stands in the path, a client with
 * a credential of its own sends it in plain sight. `templates` is asked once, when the first such request comes.
 */
export function createCallerPathRedaction(templates: () => readonly ProviderTemplate[]): CallerPathRedaction {
  let known: readonly Redaction[] | undefined;
  return (authority, path) => {
    known ??= templates().flatMap(redactionsOf);
    for (const { hosts, redact } of known) if (hosts.matches(authority)) return redact(path);
    return path;
  };
}

function redactionsOf({ hosts, inject }: ProviderTemplate): readonly Redaction[] {
  const matcher = createHostMatcher(hosts.map(anyTenant));
  return inject.flatMap((rule) => (rule.kind === 'path' ? [{ hosts: matcher, redact: pathRedaction(rule) }] : []));
}

/** `{tenant}.example.com` and `eu-{tenant}.example.com` as `*.example.com`. */
function anyTenant(host: string): string {
  return host.replace(/^.*\}[^.]*/, '*');
}
