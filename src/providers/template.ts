import type { Derivation } from './derivation.ts';
import type { HmacRule } from './hmac-rule.ts';

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
  /** How a short-lived credential is made of the fields, for inject rules. */
  readonly derive?: Derivation;
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
  /** True: it may be left out. What refers to it is left out then. */
  readonly optional?: true;
  /** Source of the regular expression that a value must match, from `^` to `$`; read with the flag `u`. */
  readonly pattern?: string;
  /** What `pattern` says, in words. */
  readonly format?: string;
  /** For a field that hosts name: how many DNS labels its value may have. Default: 1. */
  readonly labels?: number;
  /** True: a value may have several lines, as a key in PEM has. It goes into no request as it is. */
  readonly multiline?: true;
}

/** A request that shows whether a credential works. */
export interface TestCall {
  readonly method: 'GET' | 'HEAD' | 'POST';
  /** Path, and query if there is one. */
  readonly path: string;
  /** Where it may go, one host or several: of the provider's hosts, as the file spells them. Default: the first of those. */
  readonly host?: string | readonly string[];
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
  /** One field of a form in the body, or one member of the JSON in it. `maxBytes`: the largest body that is read. */
  | { readonly kind: 'form_field'; readonly name: string; readonly format: string; readonly maxBytes?: number }
  /** `path`: `auth.api_key`, or a JSON pointer. */
  | { readonly kind: 'json_field'; readonly path: string; readonly format: string; readonly maxBytes?: number }
  | HmacRule
  | { readonly kind: 'default_header'; readonly name: string; readonly value: string }
  /** AWS Signature Version 4. Region and service are for hosts that do not say them. */
  | {
      readonly kind: 'sigv4';
      readonly accessKeyId: string;
      readonly secretAccessKey: string;
      readonly sessionToken?: string;
      readonly region?: string;
      readonly service?: string;
      /** The largest body that is held to be hashed. */
      readonly maxBytes?: number;
    };
