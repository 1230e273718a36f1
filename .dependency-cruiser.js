/**
 * Who may import whom: the layers of docs/architecture.md, and the one folder that owns each third-party library.
 * Types count as imports. `test/unit/house/import-rules.test.ts` breaks every rule once and expects it to be reported.
 */

const layer = (...names) => names.map((name) => (name.endsWith('.ts') ? `^src/${name.replace('.', '\\.')}$` : `^src/${name}/`));

/** What each folder may import besides itself. cli/ may import everything. */
const ALLOWED = {
  secret: [],
  message: ['errors.ts'],
  aws: ['errors.ts', 'message'],
  policy: ['errors.ts', 'message', 'aws'],
  providers: ['errors.ts', 'schema-check.ts', 'message', 'aws'],
  'policy-file': ['errors.ts', 'schema-check.ts', 'message', 'policy', 'providers'],
  inject: ['errors.ts', 'message', 'secret', 'providers', 'aws'],
  config: ['errors.ts', 'schema-check.ts', 'message', 'secret'],
  store: ['errors.ts', 'message', 'secret', 'config'],
  vault: ['errors.ts', 'message', 'secret', 'store', 'policy', 'providers', 'inject', 'audit'],
  principals: ['errors.ts', 'message', 'secret', 'vault'],
  audit: ['errors.ts', 'message'],
  pki: ['errors.ts', 'message'],
  pipeline: ['errors.ts', 'message', 'vault', 'principals', 'policy', 'inject', 'upstream', 'audit'],
  edge: ['errors.ts', 'message', 'secret', 'pipeline', 'principals'],
  upstream: ['errors.ts', 'message'],
  admin: ['errors.ts', 'message', 'store', 'vault', 'audit'],
};

const ALLOWED_FILES = {
  'error-codes.ts': [],
  'errors.ts': ['error-codes.ts'],
  'log-lines.ts': [],
  'schema-check.ts': [],
  'log.ts': ['log-lines.ts', 'config'],
  'app.ts': ['errors.ts', 'log.ts', ...Object.keys(ALLOWED)],
  'index.ts': ['errors.ts', 'app.ts', 'log.ts', 'audit', 'config', 'message', 'policy', 'providers', 'secret', 'store', 'vault'],
};

/** The folders (and files) that own each third-party library. */
const OWNERS = {
  '@marcbachmann/cel-js': ['policy'],
  'cli-table3': ['cli'],
  commander: ['cli'],
  ioredis: ['store/redis'],
  'ipaddr.js': ['message', 'upstream'],
  jose: ['vault', 'principals', 'inject/derived'],
  lmdb: ['store/embedded'],
  'lru-cache': ['vault', 'inject', 'pki', 'principals', 'upstream'],
  'node-forge': ['pki'],
  pino: ['log.ts'],
  yaml: ['config', 'providers'],
};

const CORE_WITH_IO = [
  ...['fs', 'net', 'tls', 'http', 'https', 'http2', 'dgram', 'dns', 'child_process', 'cluster', 'worker_threads'],
  ...['inspector', 'readline', 'repl', 'sqlite', 'process', 'os', 'v8', 'vm', 'module', 'tty', 'wasi', 'timers'],
].join('|');

const quoted = (name) => name.replaceAll('.', '\\.');

const layers = [...Object.entries(ALLOWED), ...Object.entries(ALLOWED_FILES)].map(([name, allowed]) => ({
  name: `layer-${name.replace('.ts', '')}`,
  comment: `src/${name} may import ${allowed.length === 0 ? 'nothing of src/' : allowed.join(', ')}${name.endsWith('.ts') ? '' : ' and itself'}.`,
  severity: 'error',
  from: { path: layer(name) },
  to: { path: '^src/', pathNot: layer(name, ...allowed) },
}));

const owners = Object.entries(OWNERS).map(([library, folders]) => ({
  name: `owner-${library}`,
  comment: `${library} stays in src/${folders.join(' and src/')}.`,
  severity: 'error',
  from: { path: '^src/', pathNot: layer(...folders) },
  to: { path: `(^|node_modules/)(@types/)?${quoted(library)}(/|$)` },
}));

export default {
  forbidden: [
    ...layers,
    ...owners,
    {
      name: 'no-cycle',
      comment: 'Two modules that import each other are one module in two files. Type imports count.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'every-source-has-a-layer',
      comment: 'A new folder or file of src/ gets its line in ALLOWED first.',
      severity: 'error',
      from: { path: '^src/', pathNot: layer('cli', ...Object.keys(ALLOWED), ...Object.keys(ALLOWED_FILES)) },
      to: {},
    },
    {
      name: 'reveal-only-in-inject-and-vault',
      comment: 'Only inject/ and vault/ see the text of a secret.',
      severity: 'error',
      from: { path: '^(src|scripts)/', pathNot: ['^src/secret/secret\\.ts$', ...layer('inject', 'vault')] },
      to: { path: '^src/secret/reveal\\.ts$' },
    },
    {
      name: 'policy-without-io',
      comment: 'A decision is a function of its facts.',
      severity: 'error',
      from: { path: layer('policy') },
      to: { dependencyTypes: ['core'], path: `^(node:)?(${CORE_WITH_IO})(/|$)` },
    },
    {
      name: 'message-and-secret-without-io',
      comment: 'Sans I/O: these take values and return values. node:net is allowed for isIP.',
      severity: 'error',
      from: { path: layer('message', 'secret', 'errors.ts', 'error-codes.ts') },
      to: { dependencyTypes: ['core'], path: `^(node:)?(${CORE_WITH_IO.replace('|net|', '|')})(/|$)` },
    },
    {
      name: 'every-library-has-an-owner',
      comment: 'A new dependency gets its line in OWNERS first.',
      severity: 'error',
      from: { path: '^src/' },
      to: {
        dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown', 'unknown'],
        pathNot: `^\\.|(^|node_modules/)(@types/)?(${Object.keys(OWNERS).map(quoted).join('|')})(/|$)`,
      },
    },
    {
      name: 'not-to-unresolvable',
      comment:
        'The import names nothing that exists; what the scripts take from the build is there once it is built, and the Node client of test:aws has a package of its own.',
      severity: 'error',
      from: { path: '^(src|test|scripts)/', pathNot: '^test/aws/clients/node/' },
      to: { couldNotResolve: true, pathNot: '^\\.\\./dist/' },
    },
    {
      name: 'source-not-to-tests',
      comment: 'What ships imports nothing that does not.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|scripts|bench)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    detectProcessBuiltinModuleCalls: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js'],
    },
  },
};
