import { CommandError } from '../../errors.ts';
import type { ProviderTemplate } from '../../providers/template.ts';
import type { Secret } from '../../secret/reveal.ts';
import type { ProviderClock } from '../sigv4/clock.ts';
import { githubApp } from './github-app.ts';
import { googleServiceAccount } from './google-service-account.ts';
import { clientCredentials, refreshToken } from './oauth2.ts';
import { assumeRole } from './sts-assume-role.ts';
import { StoredValues } from './stored-values.ts';
import type { TokenMaker } from './token.ts';

/**
 * How a secret of this provider gets its tokens. Throws `record_invalid` for values with which it cannot; the message holds none. `clock`: of
 * the provider, for requests that are signed.
 */
export function tokenMaker(
  { derive, fields: declared }: ProviderTemplate,
  fields: Readonly<Record<string, Secret>>,
  clock: ProviderClock,
): TokenMaker {
  const values = new StoredValues(declared, fields);
  switch (derive?.kind) {
    case 'oauth2_client_credentials':
      return clientCredentials(derive, values);
    case 'oauth2_refresh_token':
      return refreshToken(derive, values);
    case 'github_app':
      return githubApp(derive, values);
    case 'google_service_account':
      return googleServiceAccount(derive, values);
    case 'sts_assume_role':
      return assumeRole(derive, values, clock);
    default:
      throw new CommandError('record_invalid', 'the provider has a derivation that this version does not know');
  }
}
