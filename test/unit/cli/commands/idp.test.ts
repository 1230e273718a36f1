/** Identity providers from the command line. */
import test from 'ava';
import { initialised, inProcessHome } from '../../../support/cli.ts';
import { makeSigningKey } from '../../../support/idp-keys.ts';

const CORP = ['idp', 'add', 'corp', '--issuer', 'https://login.example.com', '--audience', 'my-app'];

test('an identity provider is added, listed, shown and deleted', async (t) => {
  const cli = await initialised(inProcessHome(t));
  t.like(await cli.json([...CORP, '--audience', 'my-api', '--groups-claim', 'realm_access.roles', '--alg', 'RS256', '--alg', 'ES256']), {
    slug: 'corp',
    audiences: ['my-app', 'my-api'],
    algorithms: ['RS256', 'ES256'],
    jwks: { kind: 'discovery' },
    subjectClaim: 'sub',
    groupsClaim: 'realm_access.roles',
  });
  t.regex((await cli.run(['idp', 'list'])).stdout, /corp +https:\/\/login\.example\.com/);
  t.regex((await cli.run(['idp', 'show', 'corp'])).stdout, /realm_access\.roles/);
  t.is((await cli.run(['idp', 'delete', 'corp'])).code, 3);
  t.is((await cli.run(['idp', 'delete', 'corp', '--yes'])).code, 0);
  t.is((await cli.run(['idp', 'show', 'corp'])).code, 4);
});

test('keys come from a URL or from a file with public keys', async (t) => {
  const cli = await initialised(inProcessHome(t));
  const { publicJwk, privateJwk } = await makeSigningKey('one');
  const file = cli.write('jwks.json', JSON.stringify({ keys: [publicJwk] }));
  const jwksUrl = ['--jwks-url', 'https://login.example.com/keys'];
  t.is((await cli.run([...CORP, ...jwksUrl, '--jwks-file', file])).code, 2);
  t.like(await cli.json([...CORP, '--jwks-file', file]), { jwks: { kind: 'inline', keys: [publicJwk] } });
  const other = ['idp', 'add', 'other', '--issuer', 'https://other.example.com', '--audience', 'my-app'];
  t.like(await cli.json([...other, ...jwksUrl]), { jwks: { kind: 'url', url: 'https://login.example.com/keys' } });
  const secret = await cli.run(['idp', 'add', 'x', '--issuer', 'x', '--audience', 'a', '--jwks-file', cli.write('private.json', JSON.stringify({ keys: [privateJwk] }))]); // prettier-ignore
  t.is(secret.code, 2);
  t.regex(secret.stderr, /private/);
  t.false((secret.stdout + secret.stderr).includes(String(privateJwk.d)));
  t.is((await cli.run(['idp', 'add', 'x', '--issuer', 'x', '--audience', 'a', '--jwks-file', cli.write('bad.json', '{')])).code, 1);
});

test('an audience must be named', async (t) => {
  const cli = await initialised(inProcessHome(t));
  const refused = await cli.run(['idp', 'add', 'corp', '--issuer', 'https://login.example.com']);
  t.is(refused.code, 2);
  t.regex(refused.stderr, /--audience/);
  t.is((await cli.run([...CORP, '--alg', 'HS256'])).code, 2);
});
