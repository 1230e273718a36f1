/** A worker of `alter-proxy start`. The primary process runs this file, and is the only one that it obeys. */
import './heap.ts';

// A terminal sends Ctrl-C to the whole process group; what it means to a worker is decided by the primary.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

const { serveAsWorker } = await import('./workers/serve.ts');
serveAsWorker();
