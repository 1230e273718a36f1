/** The environment of a command that runs behind the proxy: which variables point which client to the proxy and to its CA. */

/** Variables whose file replaces a client's own roots: it must hold the roots and the proxy's CA. */
export const REPLACING_TRUST_VARIABLES = [
  'SSL_CERT_FILE', // OpenSSL, Go, Ruby, Python ssl and httpx, Rust native-tls, uv
  'CURL_CA_BUNDLE', // curl
  'REQUESTS_CA_BUNDLE', // Python requests
  'GIT_SSL_CAINFO', // Git
  'AWS_CA_BUNDLE', // AWS CLI and SDKs
  'GRPC_DEFAULT_SSL_ROOTS_FILE_PATH', // gRPC core
  'PIP_CERT', // pip
  'npm_config_cafile', // npm, over the cafile of an npmrc, which replaces what NODE_EXTRA_CA_CERTS adds
  'CARGO_HTTP_CAINFO', // Cargo
  'HTTPLIB2_CA_CERTS', // Python httplib2
  'BUNDLE_SSL_CA_CERT', // Ruby bundler
  'CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE', // gcloud
  'NIX_SSL_CERT_FILE', // clients packaged by Nix
  'PERL_LWP_SSL_CA_FILE', // Perl LWP
] as const;

/** Variables whose file is added to a client's own roots. */
export const ADDING_TRUST_VARIABLES = [
  'NODE_EXTRA_CA_CERTS', // Node.js, npm
  'DENO_CERT', // Deno
] as const;

/** Name of a variable that names a file of trusted certificates. */
export type TrustVariable = (typeof REPLACING_TRUST_VARIABLES)[number] | (typeof ADDING_TRUST_VARIABLES)[number];

/** A Java trust store. */
export interface JavaTrustStore {
  readonly file: string;
  readonly password: string;
}

/** What the environment is made from. */
export interface RunEnvironmentInput {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly proxy: { readonly host: string; readonly port: number };
  /** The key that goes into the proxy URL. */
  readonly key: string;
  readonly trustFiles: Readonly<Record<TrustVariable, string>>;
  readonly javaTrustStore: JavaTrustStore;
  /** Also send requests for loopback destinations through the proxy. */
  readonly proxyLocalhost: boolean;
}

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '::1'];

/** Variables of the proxy itself that carry a credential; the command gets none of them. */
const OWN_CREDENTIALS = /^ALTER_(?:KEY|.*_KEY|.*PASSWORD|.*SECRET|.*TOKEN)$/;

function noProxyOf(env: RunEnvironmentInput['env'], proxyLocalhost: boolean): string {
  const callers = env['no_proxy'] ?? env['NO_PROXY'];
  if (callers === undefined) return proxyLocalhost ? '' : LOOPBACK_NAMES.join(',');
  if (!proxyLocalhost) return callers;
  const isLoopback = (entry: string) => LOOPBACK_NAMES.includes(entry.replace(/^\[|\]$/g, '').toLowerCase());
  return callers
    .split(/[\s,]+/)
    .filter((entry) => entry !== '' && !isLoopback(entry))
    .join(',');
}

/** NO_PROXY in the spelling of Java: `|` between hosts, `*` for any part. */
function nonProxyHosts(noProxy: string): string {
  return noProxy
    .split(/[\s,]+/)
    .filter((entry) => entry !== '' && !entry.includes('/'))
    .flatMap((entry) => {
      if (entry.startsWith('.')) return [entry.slice(1), `*${entry}`];
      return [entry.includes(':') && !entry.startsWith('[') && entry.split(':').length > 2 ? `[${entry}]` : entry];
    })
    .join('|');
}

function javaOptions(input: RunEnvironmentInput, noProxy: string): string {
  const { proxy, javaTrustStore, env } = input;
  const properties: readonly (readonly [string, string])[] = [
    ['http.proxyHost', proxy.host],
    ['http.proxyPort', String(proxy.port)],
    ['https.proxyHost', proxy.host],
    ['https.proxyPort', String(proxy.port)],
    ['http.nonProxyHosts', nonProxyHosts(noProxy)],
    // By default the JDK refuses to send Basic credentials when it opens a tunnel.
    ['jdk.http.auth.tunneling.disabledSchemes', ''],
    ['javax.net.ssl.trustStore', javaTrustStore.file],
    ['javax.net.ssl.trustStoreType', 'PKCS12'],
    ['javax.net.ssl.trustStorePassword', javaTrustStore.password],
  ];
  const options = properties.map(([name, value]) => `-D${name}=${value}`).map((option) => (/[\s']/.test(option) ? `"${option}"` : option));
  return [env['JAVA_TOOL_OPTIONS'] ?? '', ...options].filter((option) => option !== '').join(' ');
}

/**
 * The environment for the command: the caller's own, with proxy and CA variables for the clients that read them. NO_PROXY stays the
 * caller's; without one, loopback destinations go direct. ALL_PROXY is not touched.
 */
export function buildRunEnvironment(input: RunEnvironmentInput): Record<string, string> {
  const { env, proxy, key, trustFiles } = input;
  const host = proxy.host.includes(':') ? `[${proxy.host}]` : proxy.host;
  const url = `http://x:${key}@${host}:${String(proxy.port)}`;
  const noProxy = noProxyOf(env, input.proxyLocalhost);
  const kept = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && !OWN_CREDENTIALS.test(entry[0]));
  return {
    ...Object.fromEntries(kept),
    HTTPS_PROXY: url,
    https_proxy: url,
    HTTP_PROXY: url,
    http_proxy: url,
    NO_PROXY: noProxy,
    no_proxy: noProxy,
    // Node 22.21 and 24 read the proxy variables only when told to.
    NODE_USE_ENV_PROXY: '1',
    ...trustFiles,
    JAVA_TOOL_OPTIONS: javaOptions(input, noProxy),
  };
}
