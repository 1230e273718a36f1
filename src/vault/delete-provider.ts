import type { CustomProviders } from './custom-providers.ts';
import type { ProviderTemplate } from '../providers/template.ts';
import type { SecretFacts } from './resolved.ts';
import type { Secrets } from './secrets.ts';

/** What was deleted with a provider. */
export interface DeletedProvider {
  readonly template: ProviderTemplate;
  /** False: it is shipped, so it is still in the catalogue. */
  readonly withdrawn: boolean;
  readonly secrets: readonly SecretFacts[];
}

/** The secrets of a provider that are not deleted yet. */
async function secretsOfProvider(secrets: Secrets, slug: string): Promise<readonly SecretFacts[]> {
  return (await secrets.list()).filter(({ provider, status }) => provider === slug && status !== 'deleted');
}

/**
 * Deletes all secrets of a provider, and the provider itself when it is a custom one. A secret that is stored while this runs is deleted, too.
 * May be repeated after it broke off in the middle. Rejects with CommandError.
 */
export async function deleteProvider(providers: CustomProviders, secrets: Secrets, slug: string): Promise<DeletedProvider> {
  const provider = await providers.show(slug);
  const deleted: SecretFacts[] = [];
  const deleteAll = async (): Promise<void> => {
    for (const { id } of await secretsOfProvider(secrets, slug)) deleted.push(await secrets.delete(id));
  };
  await deleteAll();
  await providers.withdraw(provider);
  await deleteAll();
  return { template: provider.template, withdrawn: provider.custom, secrets: deleted };
}
