/** What a JWT says in one claim. */
export type Claims = Readonly<Record<string, unknown>>;

/**
 * The claim at `path`: the member of just that name (`https://example.com/groups`), else the members along its dots
 * (`realm_access.roles`). Undefined when there is none.
 */
export function claimAt(claims: Claims, path: string): unknown {
  const whole = own(claims, path);
  if (whole !== undefined) return whole;
  let found: unknown = claims;
  for (const name of path.split('.')) found = own(found, name);
  return found;
}

/**
 * The groups at `path`. An array lists them; a text is one group, however many spaces and commas it holds, because names of groups hold
 * both, and a part of a name must not become another group. Anything that is no text is no group.
 */
export function groupsAt(claims: Claims, path: string): ReadonlySet<string> {
  const claim = claimAt(claims, path);
  const listed: readonly unknown[] = Array.isArray(claim) ? claim : [claim];
  return new Set(listed.filter((group): group is string => typeof group === 'string' && group !== ''));
}

function own(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, name)) return undefined;
  return (value as Claims)[name];
}
