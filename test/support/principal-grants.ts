import { addToHolder } from '../../src/vault/holders.ts';
import type { GrantPrincipal } from '../../src/vault/records.ts';
import { SealedRecords } from '../../src/vault/sealed-records.ts';
import type { GrantOptions } from './proxy.ts';
import type { Scene } from './scene.ts';

/** A grant for `principal` on a secret of its own; resolves with its id. */
export async function grantFor(scene: Scene, principal: GrantPrincipal, options: Partial<GrantOptions> = {}): Promise<string> {
  const id = await scene.grant(options);
  const records = new SealedRecords('default', scene.proxy.store, scene.proxy.keyring);
  const provider = options.template?.slug ?? options.provider ?? 'custom-bearer';
  await addToHolder(records, principal, { id, provider }, Date.now());
  await records.update('grant', id, (record) => ({ ...record, principal }));
  return id;
}
