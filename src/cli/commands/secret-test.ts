import type { Command } from 'commander';
import type { SecretTest } from '../../app.ts';
import type { Config } from '../../config/config.ts';
import { CommandError, WIRE_ERRORS } from '../../errors.ts';
import { createLogger } from '../../log.ts';
import { formatAuthority } from '../../message/authority.ts';
import type { SecretFacts } from '../../vault/resolved.ts';
import { declare, perform, type Runtime } from '../command.ts';
import { operator } from '../operator.ts';
import type { Session } from '../session.ts';

/** What a test call says of a credential. */
type Verdict = 'works' | 'refused' | 'undecided';

type Answered = Exclude<SecretTest, string>;

const EXIT: Readonly<Record<Verdict, number>> = { works: 0, refused: 5, undecided: 6 };

/** What an authorisation server says of a credential that it does not take (RFC 6749 §5.2). */
const REFUSED_THERE = new Set(['invalid_client', 'invalid_grant', 'unauthorized_client']);

function verdictOf({ status, error }: Answered): Verdict {
  if (error?.code === 'credential_unavailable' && REFUSED_THERE.has(error.rule ?? '')) return 'refused';
  if (status === 401 || status === 403) return 'refused';
  return status !== undefined && status >= 200 && status < 300 ? 'works' : 'undecided';
}

/** What the operator can do about a credential that was refused. */
function adviceOf(status: number | undefined, secret: SecretFacts): string {
  const rotate = `alter-proxy secret rotate ${secret.id}`;
  switch (status) {
    case 401:
      return `: the provider does not take the credential. Replace it with: ${rotate}`;
    case 403:
      return `: the credential is not good for this call. Give it the permission, or replace it with: ${rotate}`;
    default:
      return `. Replace it with: ${rotate}`;
  }
}

/** Why a call leaves it open whether the credential works: it may be another time of the provider, or the call itself. */
function openOf({ status, error }: Answered): string {
  if (error !== undefined) return WIRE_ERRORS[error.code].hint;
  const passes = status === undefined || status >= 500 || status === 408 || status === 429;
  return passes ? 'Try again later' : 'That does not show whether the credential works';
}

/** A proxy for one call: it takes none from others. */
function forOneCall(config: Config): Config {
  return {
    ...config,
    listen: { host: '127.0.0.1', port: 0, requireKey: true, trustedProxies: [] },
    admin: undefined,
    shutdown: { drainTimeoutMs: 2000 },
  };
}

async function call(session: Session, secret: SecretFacts): Promise<Answered> {
  // What goes wrong is told by the result, once.
  const log = createLogger('silent', session.terminal.stderr);
  const { startProxy } = await import('../../app.ts');
  const proxy = await startProxy(forOneCall(session.config()), { log });
  try {
    const answer = await proxy.testSecret(secret.id, operator());
    if (answer === 'no_call') {
      throw new CommandError('not_found', `no test call is known for provider ${secret.provider}`, {
        hint: 'Use the secret once through a grant, or give a custom provider a `test`.',
      });
    }
    if (answer === 'no_host') {
      throw new CommandError('not_allowed', `secret ${secret.name} may go to no host of its provider's test call`, {
        hint: `See the hosts with: alter-proxy provider show ${secret.provider}. A credential goes only to the hosts with which it was stored.`,
      });
    }
    return answer;
  } finally {
    await proxy.stop();
  }
}

function sentence(session: Session, secret: SecretFacts, answer: Answered): string {
  const { output } = session;
  const { error, status, origin } = answer;
  const where = `${answer.method} ${origin.scheme}://${formatAuthority(origin, origin.scheme)}${answer.target.replace(/\?.*/s, '')}`;
  const why = error === undefined ? `answered ${String(status)}` : `was not answered: ${error.detail ?? error.message} (${error.code})`;
  switch (verdictOf(answer)) {
    case 'works':
      return `${output.paint('green', 'Works')}: ${where} ${why}`;
    case 'refused':
      return `${output.paint('red', 'Refused')}: ${where} ${why}${adviceOf(status, secret)}`;
    case 'undecided':
      return `${output.paint('yellow', 'Undecided')}: ${where} ${why}. ${openOf(answer)}`;
  }
}

async function testSecret(session: Session, idOrName: string): Promise<number> {
  const secret = await (await session.administration()).showSecret(idOrName);
  if (secret.status !== 'active') throw new CommandError('not_found', `secret ${secret.name} is ${secret.status}`);
  const answer = await call(session, secret);
  const verdict = verdictOf(answer);
  const { id, status = null, error, origin } = answer;
  const facts = { secret: secret.id, name: secret.name, provider: secret.provider, version: secret.version };
  session.output.result(
    { ...facts, verdict, status, code: error?.code ?? null, host: formatAuthority(origin, origin.scheme), requestId: id },
    () => sentence(session, secret, answer),
  );
  return EXIT[verdict];
}

/** `secret test`. */
export function addSecretTest(group: Command, runtime: Runtime): void {
  const command = declare(
    group,
    'test <name-or-id>',
    "Make the provider's test call with a secret, and tell its status. Nothing else of the answer is shown.",
    ['alter-proxy secret test openai', 'alter-proxy secret test openai --json'],
  );
  perform(command, runtime, (session, _options, [idOrName = '']) => testSecret(session, idOrName));
}
