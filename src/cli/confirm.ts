import { CommandError } from '../errors.ts';
import { printable } from './printable.ts';
import { askVisible } from './prompt.ts';
import { isInteractive, type Terminal } from './terminal.ts';

/**
 * Makes the operator type `name` before something is lost. Throws CommandError `not_allowed` when the answer is another one, or when there is
 * nobody to ask; `hint` says how to confirm then.
 */
export async function confirmByName(terminal: Terminal, effect: string, name: string, hint = 'Pass --yes to confirm.'): Promise<void> {
  if (!isInteractive(terminal)) {
    throw new CommandError('not_allowed', 'this needs a confirmation, and there is no terminal to ask on', {
      hint,
    });
  }
  terminal.stderr.write(`${printable(effect)}\n`);
  const answer = await askVisible(terminal, `Type ${printable(name)} to confirm: `);
  if (answer !== name) throw new CommandError('not_allowed', 'not confirmed', { hint: 'Nothing was changed.' });
}
