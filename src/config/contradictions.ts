import { addressesOverlap, covers, isLoopback, readHost } from './hosts.ts';
import type { Merged } from './merge.ts';
import type { ProblemList } from './problem.ts';
import type { Settings } from './schema.ts';

/** Settings that are sound alone but not together. */
export function findContradictions(settings: Settings, merged: Merged, problems: ProblemList): void {
  checkPorts(settings, merged, problems);
  checkRequireKey(settings, merged, problems);
  checkRedis(settings, merged, problems);
  checkPassThrough(settings, merged, problems);
}

function checkPorts({ listen, admin }: Settings, merged: Merged, problems: ProblemList): void {
  if (admin === false || listen.port !== admin.port || listen.port === 0 || !addressesOverlap(listen.host, admin.host)) return;
  const path = merged.origin(['admin', 'port']) === undefined ? ['listen', 'port'] : ['admin', 'port'];
  problems.add(merged.where(path), `listen.port and admin.port are both ${listen.port} on one address`, 'use another port for one of them');
}

function checkRequireKey({ listen }: Settings, merged: Merged, problems: ProblemList): void {
  const path = ['listen', 'require_key'];
  if (isLoopback(listen.host) || listen.require_key || merged.origin(path) === undefined) return;
  problems.add(merged.where(path), 'is false, but listen.host is not loopback', 'remove it, or listen on 127.0.0.1');
}

function checkRedis({ store }: Settings, merged: Merged, problems: ProblemList): void {
  if (store.kind !== 'redis') return;
  if (store.url === undefined) {
    problems.add(merged.where(['store', 'kind']), 'is redis, but store.url is missing', 'add store.url, such as redis://127.0.0.1:6379');
  } else if (store.ca_file !== undefined && store.url.startsWith('redis://')) {
    problems.add(merged.where(['store', 'ca_file']), 'is set, but store.url is redis://, which has no TLS', 'use rediss://, or remove it');
  }
}

function checkPassThrough({ intercept, default_grants }: Settings, merged: Merged, problems: ProblemList): void {
  for (const [index, text] of intercept.pass_through.entries()) {
    const pattern = readHost(text, true);
    if ('wrong' in pattern) continue;
    for (const key of Object.keys(default_grants)) {
      const granted = readHost(key, false);
      if ('wrong' in granted || !covers(pattern, granted.host, granted.port ?? 443)) continue;
      const path = ['intercept', 'pass_through', index];
      problems.add(
        merged.where(path),
        `${granted.host} has a default grant, which cannot be used in a tunnel`,
        'remove it here or from default_grants',
      );
    }
  }
}
