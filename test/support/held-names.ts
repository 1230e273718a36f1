import dns from 'node:dns';
import { eventually } from './eventually.ts';

/** Names of this machine that resolve only when the test says so. */
export interface HeldNames {
  /** Waits until `name` is looked up, and gives the function that answers. */
  lookedUp(name: string): Promise<() => void>;
  /** Every name resolves as usual again. */
  restore(): void;
}

/** Holds back the look-ups of `names` in this process. */
export function holdNames(names: readonly string[]): HeldNames {
  const { lookup } = dns;
  const held = new Map<string, () => void>();
  dns.lookup = ((host: string, options: dns.LookupAllOptions, callback: (error: null, addresses: dns.LookupAddress[]) => void) => {
    if (!names.includes(host)) lookup(host, options, callback as never);
    else {
      held.set(host, () => {
        callback(null, [{ address: '127.0.0.1', family: 4 }]);
      });
    }
  }) as typeof dns.lookup;
  return {
    lookedUp: (name) => eventually(() => held.get(name), `a look-up of ${name}`),
    restore() {
      dns.lookup = lookup;
    },
  };
}
