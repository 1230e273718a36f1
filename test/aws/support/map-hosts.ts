/**
 * Preloaded into the proxy's process: names of AWS lead to the port of a server on this machine. It stands for the internet's DNS, below
 * everything that the proxy does of its own: its guard judges the address, and its TLS checks the name, as ever.
 */
import dns from 'node:dns';
import net from 'node:net';
import tls from 'node:tls';

/** `{"<host>": <port>}` as JSON. */
const mapped = new Map(Object.entries(JSON.parse(process.env['AWS_TEST_HOSTS'] ?? '{}') as Record<string, number>));

const { lookup } = dns;

/** A `connect` of `net` or `tls` that goes to the port of a mapped host instead. */
function mappedConnect(connect: (...args: unknown[]) => net.Socket): (...args: unknown[]) => net.Socket {
  return (...args) => {
    const [options, ...rest] = args as [net.TcpNetConnectOpts, ...(() => void)[]];
    const port = mapped.get(options.host ?? '');
    return connect(port === undefined ? options : { ...options, port }, ...rest);
  };
}

function mappedLookup(...args: unknown[]): void {
  const [hostname, , callback] = args as [string, dns.LookupAllOptions, (error: null, addresses: dns.LookupAddress[]) => void];
  if (mapped.has(hostname)) callback(null, [{ address: '127.0.0.1', family: 4 }]);
  else Reflect.apply(lookup, dns, args);
}

for (const module of [net, tls]) Object.assign(module, { connect: mappedConnect(module.connect as (...args: unknown[]) => net.Socket) });
Object.assign(dns, { lookup: mappedLookup });
