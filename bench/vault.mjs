/** The records of a home, written with the vault of the project itself. It needs the build in dist/. */
import { randomUUID } from 'node:crypto';

const load = (file) => import(new URL(`../dist/src/${file}`, import.meta.url).href);

/** Three rules, as a careful operator sets them; all must pass. */
const POLICY = [
  { kind: 'methods', allow: ['GET', 'POST'] },
  { kind: 'url', paths: ['/**'], deny_paths: ['/admin/**'] },
  { kind: 'time', zone: 'Europe/Berlin', hours: ['00:00-24:00'] },
];

/** Opens the vault of a home: `{ config, issueGrant, sealCopies, close }`. `env` holds the ALTER_ variables under which its proxy runs. */
export async function openVault(home, env) {
  const [{ loadConfig }, { openStore }, { loadKeyring }, { loadCatalogue }, { createAdministration }, { prepareOffline }, { seal }] =
    await Promise.all(
      [
        'config/load.js',
        'store/open.js',
        'vault/keyring.js',
        'providers/catalogue.js',
        'vault/administration.js',
        'inject/prepare.js',
        'vault/sealing.js',
      ].map(load),
    );
  const config = loadConfig({ home, env: { ...process.env, ...env } });
  const store = await openStore(config.store, { auditMaxStream: config.audit.maxStream });
  const keyring = loadKeyring(config.keyringFile);
  const catalogue = loadCatalogue(config.providerDirs);
  const administration = createAdministration({ store, keyring, catalogue, app: config.app, prepare: prepareOffline });
  return {
    config,
    /** The id of a new grant of this secret, with a policy of three rules. */
    issueGrant: async (secret) => (await administration.issueGrant({ secret, label: 'benchmark', policy: POLICY })).id,
    /** `count` grants that are like the given one but for their ids, sealed: `[{ id, text }]`. */
    sealCopies: async (grantId, count) => {
      const grant = await administration.showGrant(grantId);
      const ids = Array.from({ length: count }, () => randomUUID());
      return Promise.all(
        ids.map(async (id) => ({ id, text: await seal(keyring, { kind: 'grant', app: config.app, id }, { ...grant, id }) })),
      );
    },
    close: () => store.close(),
  };
}

/** Names of the keys that a store with this configuration keeps in Redis. */
export async function redisKeys({ store }) {
  const { RedisKeys } = await load('store/redis/keys.js');
  return new RedisKeys(store.namespace);
}
