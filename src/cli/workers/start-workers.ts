import { HealthServer } from '../../admin/health.ts';
import type { RunningProxy } from '../../app.ts';
import type { Config } from '../../config/config.ts';
import { createConfigHolder } from '../../config/reload.ts';
import { CommandError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import { publicRoots, rootFiles } from '../../pki/public-roots.ts';
import { loadCatalogue } from '../../providers/catalogue.ts';
import { Supervisor } from './supervisor.ts';
import { forkWorker } from './worker-process.ts';

/** What a start needs besides the configuration. */
export interface StartWorkersOptions {
  readonly log: Logger;
  /** Reads the configuration anew. */
  readonly reload: () => Config;
  /** Told when the proxy listens elsewhere than at its start. */
  readonly moved: (proxy: RunningProxy) => void;
}

/**
 * Starts a proxy of `workers` processes. This process takes no traffic and opens neither the store nor the keyring nor the CA: it hands
 * connections over, keeps the workers running, and answers for all of them. Rejects with CommandError, and leaves nothing running, when
 * a worker cannot start.
 */
export async function startWorkers(config: Config, options: StartWorkersOptions): Promise<RunningProxy> {
  const { log, reload, moved } = options;
  const supervisor = new Supervisor({ config, fork: forkWorker, log });
  const readiness = () => supervisor.readiness();
  const health = new HealthServer({ alive: () => supervisor.alive(), readiness });
  const adminAddress = config.admin === undefined ? undefined : await health.listen(config.admin.host, config.admin.port);
  try {
    await supervisor.start();
  } catch (error) {
    await health.close();
    throw error;
  }
  const holder = createConfigHolder(
    reload,
    async (next) => {
      checkFiles(next);
      await supervisor.reload(next);
      log.setLevel(next.log.level);
    },
    log,
    config,
  );
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    const unclean = await supervisor.stop();
    await health.close();
    if (unclean > 0) throw new CommandError('worker_failed', `workers that did not end as they should: ${unclean}`);
  };
  const proxy: RunningProxy = {
    get address() {
      return supervisor.address;
    },
    adminAddress,
    readiness,
    reload: () => holder.reload(),
    stop: () => (stopped ??= stop()),
  };
  supervisor.onMoved(() => {
    moved(proxy);
  });
  return proxy;
}

/** Reads what a configuration names and a reload reads: a mistake there is found before any worker is told. */
function checkFiles({ providerDirs, upstream }: Config): void {
  loadCatalogue(providerDirs);
  publicRoots([...rootFiles(process.env), ...upstream.caFiles]);
}
