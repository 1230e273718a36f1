/** What `init` decides; everything else stays at its default. */
export interface ConfigTemplateOptions {
  readonly app: string;
  readonly name?: string | undefined;
}

/** The text of the `config.yaml` that `init` writes beside the key file. */
export function configTemplate(options: ConfigTemplateOptions): string {
  return `# Configuration of alter-proxy. Whatever is not here has its default; docs/configuration.md lists every setting.
# Check a change with \`alter-proxy config check\`; send SIGHUP to a running proxy to have it read again.
# Relative paths start at the folder of this file.

# The app whose grants this proxy serves.
app: ${quoted(options.app)}
${options.name === undefined ? '' : `\n# Name of this proxy in audit events.\nname: ${quoted(options.name)}\n`}
# The proxy's own key, for callers on this machine that send none. Keep the file at mode 0600.
key_file: 'key'

# Where clients connect: HTTPS_PROXY=http://127.0.0.1:7890
listen:
  host: '127.0.0.1'
  port: 7890

# Where grants, sealed secrets and audit events are kept. For Redis:
#   store:
#     url: 'rediss://redis.example.com:6379'
#     username: 'alter'
#     password_file: 'redis-password'
store:
  kind: embedded

# What happens to a request that names no grant: forward (untouched) or deny.
ungranted: forward
`;
}

/** JSON text is YAML text, whatever it holds. */
function quoted(text: string): string {
  return /^[\w./-]+$/.test(text) ? `'${text}'` : JSON.stringify(text);
}
