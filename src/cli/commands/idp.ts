import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { CommandError } from '../../errors.ts';
import { publicKeysOf } from '../../vault/idps.ts';
import type { IdpRecord, JwksSource } from '../../vault/records.ts';
import { collect, declare, declareGroup, perform, type Runtime } from '../command.ts';
import { confirmByName } from '../confirm.ts';
import { formatInstant, isoInstant } from '../duration.ts';
import type { Session } from '../session.ts';

interface AddOptions {
  readonly issuer: string;
  readonly audience: readonly string[];
  readonly jwksUrl?: string;
  readonly jwksFile?: string;
  readonly subjectClaim?: string;
  readonly groupsClaim?: string;
  readonly alg?: readonly string[];
}

function keySourceText({ jwks }: IdpRecord): string {
  switch (jwks.kind) {
    case 'discovery':
      return "the issuer's metadata";
    case 'url':
      return jwks.url;
    case 'inline':
      return `${String(jwks.keys.length)} public ${jwks.keys.length === 1 ? 'key' : 'keys'} from a file`;
  }
}

function forPrograms(idp: IdpRecord): Record<string, unknown> {
  const { id, createdAt, updatedAt, app, issuer, audiences, algorithms, jwks, subjectClaim, groupsClaim } = idp;
  return {
    ...{ slug: id, app, issuer, audiences, algorithms, jwks, subjectClaim, groupsClaim },
    createdAt: isoInstant(createdAt),
    updatedAt: isoInstant(updatedAt),
  };
}

function jwksSource({ jwksUrl, jwksFile }: AddOptions): JwksSource {
  if (jwksUrl !== undefined && jwksFile !== undefined) {
    throw new CommandError('usage', '--jwks-url and --jwks-file exclude each other');
  }
  if (jwksUrl !== undefined) return { kind: 'url', url: jwksUrl };
  return jwksFile === undefined ? { kind: 'discovery' } : publicKeysOf(readJson(jwksFile));
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new CommandError('file_unreadable', `${file} cannot be read as JSON`, { cause });
  }
}

async function add(session: Session, slug: string, options: AddOptions): Promise<void> {
  const jwks = jwksSource(options);
  const { issuer, audience, alg, subjectClaim, groupsClaim } = options;
  const { idps } = await session.administration();
  const idp = await idps.add({
    ...{ slug, issuer, audiences: audience, jwks },
    ...(alg === undefined ? {} : { algorithms: alg }),
    ...(subjectClaim === undefined ? {} : { subjectClaim }),
    ...(groupsClaim === undefined ? {} : { groupsClaim }),
  });
  session.output.result(forPrograms(idp), () => `Added identity provider ${idp.id}; its keys come from ${keySourceText(idp)}`);
}

async function list(session: Session): Promise<void> {
  const { output } = session;
  const idps = await (await session.administration()).idps.list();
  output.result(idps.map(forPrograms), () => {
    if (idps.length === 0) return 'No identity providers. Add one with: alter-proxy idp add <name> --issuer <url> --audience <audience>';
    return output.table(
      ['name', 'issuer', 'audience', 'keys'],
      idps.map((idp) => [idp.id, idp.issuer, idp.audiences.join(' '), keySourceText(idp)]),
    );
  });
}

async function show(session: Session, slug: string): Promise<void> {
  const { output } = session;
  const idp = await (await session.administration()).idps.show(slug);
  const now = Date.now();
  output.result(forPrograms(idp), () =>
    output.facts([
      ['name', idp.id],
      ['app', idp.app],
      ['issuer', idp.issuer],
      ['audience', idp.audiences.join(' ')],
      ['algorithms', idp.algorithms.join(' ')],
      ['keys', keySourceText(idp)],
      ['subject', idp.subjectClaim],
      ['groups', idp.groupsClaim],
      ['created', formatInstant(idp.createdAt, now)],
    ]),
  );
}

function addAdd(group: Command, runtime: Runtime): void {
  const description =
    'Add an identity provider, whose tokens say who the user is. Without --jwks-… its keys are found by OpenID Connect discovery.';
  const adding = declare(group, 'add <name>', description, [
    'alter-proxy idp add corp --issuer https://login.example.com --audience my-app',
    'alter-proxy idp add keycloak --issuer https://sso.example.com/realms/main --audience my-app --groups-claim realm_access.roles',
    'alter-proxy idp add own --issuer my-service --audience my-app --jwks-file jwks.json --alg ES256',
  ])
    .requiredOption('--issuer <issuer>', 'the `iss` of its tokens, exactly')
    .requiredOption('--audience <audience>', 'an `aud` that is taken; may be repeated', collect)
    .option('--jwks-url <url>', 'where its public keys are, instead of discovery')
    .option('--jwks-file <file>', 'a JWKS with its public keys, which is stored')
    .option('--subject-claim <path>', 'claim that names the user (default: sub)')
    .option('--groups-claim <path>', 'claim that lists the groups of the user (default: groups)')
    .option('--alg <name>', 'a signature algorithm that is taken; may be repeated (default: RS256, PS256, ES256, ES384, EdDSA)', collect);
  perform<AddOptions>(adding, runtime, async (session, options, [slug = '']) => {
    await add(session, slug, options);
    return 0;
  });
}

function addDelete(group: Command, runtime: Runtime): void {
  const description = 'Delete an identity provider; its tokens are refused. Not while grants for its users or groups exist, unless forced.';
  const deleting = declare(group, 'delete <name>', description, ['alter-proxy idp delete corp --yes'])
    .option('-y, --yes', 'do not ask')
    .option('--force', 'also when grants name it: they pass to the users of whatever gets this name next');
  interface DeleteOptions {
    readonly yes?: boolean;
    readonly force?: boolean;
  }
  perform<DeleteOptions>(deleting, runtime, async (session, options, [slug = '']) => {
    const { idps } = await session.administration();
    await idps.show(slug);
    if (options.yes !== true) await confirmByName(session.terminal, `Tokens of the identity provider ${slug} will be refused.`, slug);
    const idp = await idps.delete(slug, { force: options.force === true });
    session.output.result(forPrograms(idp), () => `Deleted identity provider ${idp.id}`);
    return 0;
  });
}

/** `idp add`, `list`, `show` and `delete`. */
export function addIdpCommands(program: Command, runtime: Runtime): void {
  const group = declareGroup(program, 'idp', 'Identity providers, whose tokens say who the user behind a request is');
  addAdd(group, runtime);
  perform(declare(group, 'list', 'List the identity providers of the app.', ['alter-proxy idp list']), runtime, async (session) => {
    await list(session);
    return session.listed();
  });
  const showing = declare(group, 'show <name>', 'Show an identity provider.', ['alter-proxy idp show corp']);
  perform(showing, runtime, async (session, _options, [slug = '']) => {
    await show(session, slug);
    return 0;
  });
  addDelete(group, runtime);
}
