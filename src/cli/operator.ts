import { userInfo } from 'node:os';

/** Who gives the command, for the audit: `operator:<user>`. A container may run under a number without a name. */
export function operator(): string {
  try {
    return `operator:${userInfo().username}`;
  } catch {
    return `operator:${String(process.getuid?.() ?? 'unknown')}`;
  }
}
