/** How one API takes its credential: the shape of `config/providers/*.yaml` after parsing. */
export interface ProviderTemplate {
  /** Lower-case name, unique in the catalogue: `[a-z0-9][a-z0-9-]*`. */
  readonly slug: string;
  readonly name: string;
  readonly category: string;
  /** Link to the provider's own documentation of its authentication. */
  readonly docs?: string;
  /**
   * Exact hosts (`api.example.com`, port 443); hosts that name the tenant by a field (`{tenant}.example.com`), made exact when a secret is
   * stored; and wildcards (`*.example.com`), under which the operator names an exact host.
   */
  readonly hosts: readonly string[];
  /** True: some hosts belong to other providers too, as when two products live on one host. */
  readonly sharesHosts?: true;
  /** True: everybody runs this API on a host of their own, so there are none to name. */
  readonly selfHosted?: true;
  /** Credential fields by name. */
  readonly fields: Readonly<Record<string, ProviderField>>;
  /** Where the fields go, in order. */
  readonly inject: readonly InjectionRule[];
  /** A request that changes nothing and answers 2xx to a good credential. */
  readonly test?: TestCall;
  /** How sure the facts are: `high` (two sources) or `low`. */
  readonly confidence: 'high' | 'low';
  /** Something the operator should know. */
  readonly note?: string;
}

/** One credential field. */
export interface ProviderField {
  readonly label: string;
  readonly example?: string;
  /** True (default): never shown again. False: may be shown, for instance a user name. */
  readonly secret: boolean;
  /** Source of the regular expression that a value must match, from `^` to `$`; read with the flag `u`. */
  readonly pattern?: string;
  /** What `pattern` says, in words. */
  readonly format?: string;
  /** For a field that hosts name: how many DNS labels its value may have. Default: 1. */
  readonly labels?: number;
}

/** A request that shows whether a credential works. */
export interface TestCall {
  readonly method: 'GET' | 'HEAD' | 'POST';
  /** Path, and query if there is one. */
  readonly path: string;
  /** One of the provider's hosts, as the file spells it. Default: the first. */
  readonly host?: string;
  /** JSON text, for `POST` only. */
  readonly body?: string;
}

/**
 * One place where a credential is written. Formats hold `{field}` references; every other character stands for itself.
 * `default_header` is a constant that yields to the caller's own value.
 */
export type InjectionRule =
  | { readonly kind: 'bearer'; readonly format: string }
  | { readonly kind: 'header'; readonly name: string; readonly format: string }
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | { readonly kind: 'basic_encoded'; readonly format: string }
  | { readonly kind: 'query'; readonly name: string; readonly format: string }
  | { readonly kind: 'cookie'; readonly name: string; readonly format: string }
  /** One segment of the path: the first, or the first behind `under`, such as `/file`. */
  | { readonly kind: 'path'; readonly format: string; readonly under?: string }
  | { readonly kind: 'default_header'; readonly name: string; readonly value: string };
