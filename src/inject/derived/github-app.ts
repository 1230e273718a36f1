import { CommandError } from '../../errors.ts';
import type { GithubAppDerivation } from '../../providers/derivation.ts';
import { Secret } from '../../secret/reveal.ts';
import { unusable } from './failure.ts';
import { lifeUntil, refusesBearer, successOf } from './oauth2-answer.ts';
import { rsaKey, signedJwt } from './signed-jwt.ts';
import type { StoredValues } from './stored-values.ts';
import type { TokenMaker } from './token.ts';

const PUBLIC_API = 'https://api.github.com';
/** A clock that runs a little ahead of GitHub's is no reason to be refused; ten minutes are the longest that GitHub takes. */
const BACK_S = 60;
const LIFE_S = 9 * 60;

/** `github_app`: an installation token of a GitHub App. */
export function githubApp(derive: GithubAppDerivation, values: StoredValues): TokenMaker {
  const key = rsaKey(values.text(derive.privateKey));
  const issuer = values.text(derive.appId);
  const installation = values.text(derive.installationId);
  if (!/^[0-9]{1,20}$/.test(installation)) throw new CommandError('record_invalid', 'the id of the installation is not a number');
  const url = `${values.url(derive.apiUrl ?? PUBLIC_API).replace(/\/$/, '')}/app/installations/${installation}/access_tokens`;
  const endpoint = new URL(url).host;
  const body = bodyOf(derive, values);
  return {
    endpoint,
    renews: undefined,
    request: async (at) => {
      const jwt = await signedJwt(key, { iss: issuer }, { at, backS: BACK_S, lifeS: LIFE_S });
      const accept = ['Accept', 'application/vnd.github+json', 'X-GitHub-Api-Version', '2022-11-28', 'User-Agent', 'alter-proxy'];
      const headers = ['Authorization', `Bearer ${jwt}`, ...accept, 'Content-Type', 'application/json'];
      return { method: 'POST', url, headers, body };
    },
    read: (answer, at) => {
      const document = successOf(endpoint, answer);
      const { token } = document;
      if (typeof token !== 'string' || !/^[!-~]{1,4096}$/.test(token)) throw unusable(endpoint, 'gave no token that can be sent');
      return { values: { access_token: new Secret(token) }, lifeMs: lifeUntil(endpoint, document['expires_at'], answer, at) };
    },
    refuses: refusesBearer,
  };
}

function bodyOf(derive: GithubAppDerivation, values: StoredValues): string {
  const repositories = values
    .optional(derive.repositories)
    ?.split(/[\s,]+/)
    .filter((name) => name !== '');
  const permissions = values.map(derive.permissions);
  return JSON.stringify({
    ...(repositories === undefined || repositories.length === 0 ? {} : { repositories }),
    ...(permissions.length === 0 ? {} : { permissions: Object.fromEntries(permissions) }),
  });
}
