import { readFileSync } from 'node:fs';
import { CommandError } from '../errors.ts';
import type { GrantPrincipal } from '../vault/records.ts';
import { readStdin } from './secret-input.ts';
import type { Session } from './session.ts';

/**
 * The user for whom the token in a file (`-`: stdin) speaks, verified as the proxy would verify it. Rejects with AlterError for a token that
 * is not good, and with CommandError for a file that cannot be read. The token itself is not kept.
 */
export async function userOfToken(session: Session, file: string): Promise<GrantPrincipal> {
  const text = file === '-' ? (await readStdin(session.terminal.stdin)).toString('utf8') : readFileSync(file, 'utf8');
  const token = text.trim();
  if (token === '') throw new CommandError('record_invalid', 'the file of --user-token is empty');
  const { UserTokens } = await import('../principals/user-tokens.ts');
  const known = await (await session.administration()).idps.list();
  const tokens = new UserTokens({
    idps: {
      findIdp: (_app, slug) => known.find(({ id }) => id === slug),
      idpsOfIssuer: (_app, issuer) => known.filter((idp) => idp.issuer === issuer),
    },
    keys: await keysOfIdps(session),
    maxTokens: 1,
  });
  const { idp, subject } = await tokens.userOf(session.config().app, token);
  return { type: 'user', idp, subject };
}

async function keysOfIdps(session: Session) {
  const [{ IdpKeys }, { fetchDocument }, { Dialer }, { publicRoots, rootFiles }] = await Promise.all([
    import('../principals/idp-keys.ts'),
    import('../upstream/fetch-document.ts'),
    import('../upstream/dial.ts'),
    import('../pki/public-roots.ts'),
  ]);
  const { caFiles, allowPrivate, connectTimeoutMs } = session.config().upstream;
  const trust = publicRoots([...rootFiles(session.terminal.env), ...caFiles]);
  const dialer = new Dialer({ trust, allowPrivate, connectTimeoutMs });
  return new IdpKeys({ fetch: (url, limits) => fetchDocument(dialer, url, limits) });
}
