import { faultOfRule } from '../policy/compile.ts';
import type { Rule } from '../policy/rules.ts';
import { ProviderDocument } from '../providers/document.ts';
import { schemaCheck, type SchemaFault } from '../schema-check.ts';

interface PolicyText {
  readonly rules: readonly Rule[];
}

/**
 * Reads a policy file, YAML or JSON: `rules:` and a list. Throws `config_invalid` with `file:line:col path: what would be right` for the
 * first place that is wrong, also for what only compiling a rule shows.
 */
export function parsePolicyFile(text: string, fileName: string): readonly Rule[] {
  const document = new ProviderDocument(text, fileName);
  const data = document.data();
  const rules = isMapping(data) ? data['rules'] : undefined;
  if (!Array.isArray(rules)) throw document.error([], 'must be a mapping with rules: and a list');
  for (const [index, rule] of (rules as readonly unknown[]).entries()) {
    const fault = faultOfRule(rule);
    // What a rule demands of its members is said better by its kind than by a schema.
    if (fault !== undefined) throw document.error(['rules', index, ...fault.path], fault.message);
  }
  const fits = schemaCheck<PolicyText>('policy');
  if (fits(data)) return data.rules;
  throw faultOf(document, fits.errors ?? []);
}

function faultOf(document: ProviderDocument, errors: readonly SchemaFault[]): Error {
  const [error] = errors.filter(({ keyword }) => keyword !== 'if');
  if (error === undefined) return document.error([], 'does not fit the schema');
  const path = error.instancePath
    .split('/')
    .slice(1)
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  if (error.keyword === 'additionalProperties') {
    return document.keyError(path, String(error.params['additionalProperty']), 'is not known here; a policy has rules');
  }
  return document.error(path, error.message ?? 'does not fit the schema');
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
