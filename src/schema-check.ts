import { createRequire } from 'node:module';

/** Where and how data does not fit its schema, by the names that `ajv` gives. */
export interface SchemaFault {
  /** Keyword of JSON Schema: `required`, `type`, … */
  readonly keyword: string;
  /** JSON Pointer into the data. */
  readonly instancePath: string;
  /** What the keyword has to say: `{ missingProperty }`, `{ additionalProperty }`, … */
  readonly params: Readonly<Record<string, unknown>>;
  /** Set where the fault is in the name of a member. */
  readonly propertyName?: string;
  readonly message?: string;
  /** The schema around the keyword, and the data it judged: of the checks that tell both. */
  readonly parentSchema?: Readonly<Record<string, unknown>>;
  readonly data?: unknown;
}

/** Says whether data fits; if not, `errors` says why until the next call. */
export interface SchemaCheck<T> {
  (data: unknown): data is T;
  readonly errors?: readonly SchemaFault[] | null;
}

const load = createRequire(import.meta.url);

/** The check of a schema of `config/`, which `scripts/schema-checks.mjs` has made of it when the proxy was built. Loaded once, when first asked for. */
export function schemaCheck<T>(schema: 'config' | 'policy' | 'provider'): SchemaCheck<T> {
  return load(`./schema-checks/${schema}.cjs`) as SchemaCheck<T>;
}
