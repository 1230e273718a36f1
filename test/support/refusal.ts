import { AlterError, CommandError } from '../../src/errors.ts';

/** Code and detail of the AlterError that `run` throws; fails when it returns or throws anything else. */
export function refusalOf(run: () => unknown): { readonly code: string; readonly detail: string } {
  const error = thrownBy(run);
  if (!(error instanceof AlterError)) throw error;
  return { code: error.code, detail: error.detail ?? '' };
}

/** Code and message of the CommandError that `run` throws; fails when it returns or throws anything else. */
export function failureOf(run: () => unknown): { readonly code: string; readonly message: string } {
  const error = thrownBy(run);
  if (!(error instanceof CommandError)) throw error;
  return { code: error.code, message: error.message };
}

function thrownBy(run: () => unknown): unknown {
  let result: unknown;
  try {
    result = run();
  } catch (error) {
    return error;
  }
  throw new Error(`nothing was refused: ${JSON.stringify(result)}`);
}
