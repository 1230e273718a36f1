import { CommandError, type CommandCode } from '../errors.ts';

/** One thing that is wrong with a configuration. */
export interface Problem {
  readonly code: CommandCode;
  /** One line: where, what is wrong, what would be right. Never the text of a value. */
  readonly text: string;
}

/** Gathers problems, so that all of them are told at once. */
export class ProblemList {
  readonly #problems: Problem[] = [];

  get size(): number {
    return this.#problems.length;
  }

  /** Adds `<where>: <what>; <right>`. What is wrong with a flag is wrong usage: there is no line to mend. */
  add(where: string, what: string, right: string, code: CommandCode = where.startsWith('--') ? 'usage' : 'config_invalid'): void {
    this.#problems.push({ code, text: `${where}: ${what}; ${right}` });
  }

  /** One error with a line for each problem; its code is that of the problems when they share one. */
  error(): CommandError {
    const codes = new Set(this.#problems.map((problem) => problem.code));
    const [first] = codes;
    const code = codes.size === 1 && first !== undefined ? first : 'config_invalid';
    return new CommandError(code, this.#problems.map((problem) => problem.text).join('\n'));
  }

  throwIfAny(): void {
    if (this.size > 0) throw this.error();
  }
}
