import test, { type ExecutionContext } from 'ava';
import type { Administration } from '../../src/vault/administration.ts';
import { VaultFixture } from './vault-fixture.ts';

type Run = (t: ExecutionContext, administration: Administration, fixture: VaultFixture) => Promise<void>;

/** A test on a {@link VaultFixture} of its own with an identity provider, an agent and a secret: {@link VaultFixture.people}. */
export const peopled = test.macro(async (t, run: Run) => {
  const fixture = new VaultFixture();
  t.teardown(() => {
    fixture.remove();
  });
  await run(t, await fixture.people(), fixture);
});
