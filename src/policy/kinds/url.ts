import { createHostMatcher } from '../../message/host-pattern.ts';
import { decodeComponent } from '../../message/query.ts';
import { RuleFault, onlyMembers, textsAt } from '../fault.ts';
import type { RuleMembers } from '../fault.ts';
import { faultOfPattern, pathMatcher } from '../path-pattern.ts';
import type { PathMatcher } from '../path-pattern.ts';
import type { RuleKind } from '../rule-kind.ts';

const MEMBERS = ['hosts', 'ports', 'paths', 'deny_paths'] as const;
const MAX_PORT = 65_535;
const PARAMETERS = /;[^/]*/g;
const SLASHES = /\/{2,}/g;

/** `hosts`, `ports` and `paths`: where requests may go; `deny_paths`: where they may not, however a server might read the path. */
export const url: RuleKind = {
  kind: 'url',
  compile(rule) {
    onlyMembers(rule, MEMBERS);
    if (MEMBERS.every((member) => rule[member] === undefined)) throw new RuleFault([], `needs one of ${MEMBERS.join(', ')}`);
    const hosts = textsAt(rule, 'hosts', 'a host in lower case, such as api.example.com or *.example.com', isHostPattern);
    const hostMatcher = hosts === undefined ? undefined : createHostMatcher(hosts);
    const ports = portsAt(rule);
    const paths = patternsAt(rule, 'paths');
    const denied = patternsAt(rule, 'deny_paths', lax);
    return {
      type: 'check',
      requires: describe(rule),
      passes: (facts) =>
        (hostMatcher === undefined || hostMatcher.matches(facts)) &&
        (ports === undefined || ports.has(facts.port)) &&
        (paths === undefined || isMatched(paths, facts.path)) &&
        (denied === undefined || !isMatched(denied, lax(facts.path))),
    };
  },
};

function isMatched(patterns: readonly PathMatcher[], path: string): boolean {
  for (const matches of patterns) if (matches(path)) return true;
  return false;
}

/** A path as the most lenient server reads it: decoded, in lower case, without parameters, doubled slashes and a slash at the end. */
function lax(path: string): string {
  const decoded = decodeComponent(decodeComponent(path));
  // Most paths have neither, and to look for them costs less than to replace nothing.
  const bare = decoded.includes(';') ? decoded.replace(PARAMETERS, '') : decoded;
  const single = bare.includes('//') ? bare.replace(SLASHES, '/') : bare;
  const read = single.toLowerCase();
  return read.length > 1 && read.endsWith('/') ? read.slice(0, -1) : read;
}

function isHostPattern(text: string): boolean {
  return /^(?:\*\.(?=[^.]+\.))?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$|^\[[0-9a-f:.]+\]$/.test(text);
}

function patternsAt(rule: RuleMembers, member: string, fold = (pattern: string) => pattern): readonly PathMatcher[] | undefined {
  return textsAt(rule, member, 'a path pattern')?.map((pattern, index) => {
    const fault = faultOfPattern(pattern);
    if (fault !== undefined) throw new RuleFault([member, index], fault);
    return pathMatcher(fold(pattern));
  });
}

function portsAt(rule: RuleMembers): ReadonlySet<number> | undefined {
  const value = rule['ports'];
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) throw new RuleFault(['ports'], 'must be a list of ports');
  value.forEach((port: unknown, index) => {
    if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > MAX_PORT)
      throw new RuleFault(['ports', index], `must be a port from 1 to ${String(MAX_PORT)}`);
  });
  return new Set(value as number[]);
}

function describe(rule: RuleMembers): string {
  const words = { hosts: 'the host is', ports: 'the port is', paths: 'the path is', deny_paths: 'the path is not' } as const;
  return MEMBERS.flatMap((member) => {
    const list = rule[member];
    return Array.isArray(list) ? [`${words[member]} ${list.join(' or ') || 'none'}`] : [];
  }).join(', and ');
}
