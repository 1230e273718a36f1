/** How one API takes its credential: the shape of `config/providers/*.yaml` after parsing. */
export interface ProviderTemplate {
  /** Lower-case name, unique in the catalogue: `[a-z0-9][a-z0-9-]*`. */
  readonly slug: string;
  readonly name: string;
  readonly category: string;
  /** Link to the provider's own documentation of its authentication. */
  readonly docs?: string;
  /** Exact hosts (`api.example.com`, port 443), or a tenant wildcard (`*.example.com`) that is pinned when a secret is stored. */
  readonly hosts: readonly string[];
  /** Credential fields by name. */
  readonly fields: Readonly<Record<string, ProviderField>>;
  /** Where the fields go, in order. */
  readonly inject: readonly InjectionRule[];
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
}

/**
 * One place where a credential is written. Formats hold `{field}` references; every other character stands for itself.
 * `default_header` is a constant that yields to the caller's own value.
 */
export type InjectionRule =
  | { readonly kind: 'bearer'; readonly format: string }
  | { readonly kind: 'header'; readonly name: string; readonly format: string }
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | { readonly kind: 'query'; readonly name: string; readonly format: string }
  | { readonly kind: 'default_header'; readonly name: string; readonly value: string };
