/** Where something is wrong in a rule: `['hours', 0]`. */
export type FaultPath = readonly (string | number)[];

/** A rule is not one of this version. `message` says what would be right, and never repeats a value. */
export class RuleFault extends Error {
  readonly path: FaultPath;

  constructor(path: FaultPath, message: string) {
    super(message);
    this.name = 'RuleFault';
    this.path = path;
  }
}

/** Members of a rule. */
export type RuleMembers = Readonly<Record<string, unknown>>;

/** Members that a rule of any kind may have. */
const COMMON: ReadonlySet<string> = new Set(['kind', 'name', 'mode']);

/** Throws {@link RuleFault} for a member that the kind does not have: it might restrict. */
export function onlyMembers(rule: RuleMembers, members: readonly string[]): void {
  const stranger = Object.keys(rule).find((member) => !COMMON.has(member) && !members.includes(member));
  if (stranger !== undefined) throw new RuleFault([stranger], `is not a member of this rule; it has ${members.join(', ')}`);
}

/** The texts at `member`, or undefined when it is absent. Each must pass `accepts`. */
export function textsAt(
  rule: RuleMembers,
  member: string,
  right: string,
  accepts: (text: string) => boolean = () => true,
): readonly string[] | undefined {
  const value = rule[member];
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) throw new RuleFault([member], `must be a list of ${right}`);
  value.forEach((item: unknown, index) => {
    if (typeof item !== 'string' || !accepts(item)) throw new RuleFault([member, index], `must be ${right}`);
  });
  return value as string[];
}

/** The text at `member`, or undefined when it is absent. */
export function textAt(rule: RuleMembers, member: string, right: string, accepts: (text: string) => boolean): string | undefined {
  const value = rule[member];
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || !accepts(value)) throw new RuleFault([member], `must be ${right}`);
  return value;
}

/** The whole number at `member`, from 1 to `most`. */
export function countAt(rule: RuleMembers, member: string, most: number): number {
  const value = rule[member];
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1 || value > most)
    throw new RuleFault([member], `must be a whole number from 1 to ${String(most)}`);
  return value;
}

/** One of `words` at `member`; the first when it is absent and `optional`. */
export function wordAt<const T extends string>(rule: RuleMembers, member: string, words: readonly [T, ...T[]], optional = false): T {
  const value = rule[member];
  if (value === undefined && optional) return words[0];
  const word = words.find((candidate) => candidate === value);
  if (word === undefined) throw new RuleFault([member], `must be one of ${words.join(', ')}`);
  return word;
}
