import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { ExecutionContext } from 'ava';
import { Redis } from 'ioredis';
import { startRedis } from './redis.ts';

const PAGE = new URL('../../../docs/security.md', import.meta.url);

function lineOf(pattern: RegExp): string {
  const [line] = readFileSync(PAGE, 'utf8').match(pattern) ?? [];
  assert(line !== undefined, `docs/security.md has no line like ${pattern.source}`);
  return line.trim();
}

/** Splits a set of rights as ACL SETUSER takes it: a selector is one argument. */
function rulesOf(line: string): readonly string[] {
  return line.match(/\([^)]*\)|[^ ]+/g) ?? [];
}

/** The rights that docs/security.md gives a proxy that issues no grants. */
export const READING_RIGHTS = rulesOf(lineOf(/^ {4}~alter:default:\*.*$/m));
/** The same for a proxy with the default settings. */
export const DEFAULT_RIGHTS = [...READING_RIGHTS, ...rulesOf(lineOf(/^ {4}\(~alter:default:grant:.*$/m))];
/** What refresh tokens that change need besides. */
export const RENEWING_RIGHTS = rulesOf(lineOf(/\(~alter:default:secret:[^)]*\)/));

/** A Redis, gone with the test, and a way to give its default user, whom nobody asks for a password, exactly some rights. */
export async function restrictedRedis(
  t: ExecutionContext,
): Promise<{ readonly url: string; restrict(...rights: readonly string[]): Promise<void> }> {
  const redis = await startRedis({ users: ['root on >root ~* &* +@all'] });
  t.teardown(() => redis.stop());
  const root = new Redis(redis.url.replace('redis://', 'redis://root:root@'));
  t.teardown(() => {
    root.disconnect();
  });
  return {
    url: redis.url,
    restrict: async (...rights) => {
      await root.call('ACL', 'SETUSER', 'default', 'reset', 'on', 'nopass', ...rights);
    },
  };
}
