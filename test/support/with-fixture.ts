import test, { type ExecutionContext } from 'ava';
import type { Administration } from '../../src/vault/administration.ts';
import { VaultFixture } from './vault-fixture.ts';

/** A test on a {@link VaultFixture} of its own with an identity provider, an agent and a secret: {@link VaultFixture.people}. */
export function peopled(
  title: string,
  run: (t: ExecutionContext, administration: Administration, fixture: VaultFixture) => Promise<void>,
): void {
  test(title, async (t) => {
    const fixture = new VaultFixture();
    t.teardown(() => {
      fixture.remove();
    });
    await run(t, await fixture.people(), fixture);
  });
}
