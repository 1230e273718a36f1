/** Contract: a policy file is read as its schema says; the schema and the rules agree; every example in docs/policies.md is one. */
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import test from 'ava';
import { parse } from 'yaml';
import { parsePolicyFile } from '../../../src/policy-file/policy-file.ts';
import { ruleKindNames } from '../../../src/policy/registry.ts';

const ROOT = new URL('../../../../', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, ROOT), 'utf8');

interface Schema {
  readonly $defs: Readonly<Record<string, object>> & {
    readonly rule: { readonly properties: { readonly kind: { readonly enum: readonly string[] } } };
  };
}

test('the schema is a valid JSON Schema 2020-12 and knows every kind', (t) => {
  const schema = JSON.parse(read('config/policy.schema.json')) as Schema;
  const ajv = new Ajv2020({ strictRequired: false, strictTypes: false });
  t.true(ajv.validateSchema(schema));
  t.deepEqual([...schema.$defs.rule.properties.kind.enum].sort(), [...ruleKindNames()].sort());
  t.deepEqual(Object.keys(schema.$defs).filter((name) => name !== 'rule').sort(), [...ruleKindNames()].sort()); // prettier-ignore
});

/** The examples of the page that hold rules, as policy files. */
function examples(): readonly string[] {
  const blocks = [...read('docs/policies.md').matchAll(/^```yaml\n(.*?)^```/gms)].map(([, text = '']) => text);
  const rules = blocks.filter((text) => text.includes('kind:'));
  return rules.map((text) => (text.includes('rules:') ? text : `rules:\n${text}`));
}

test('every example of the page is sound, and every kind has one', (t) => {
  const kinds = examples().flatMap((text) => parsePolicyFile(text, 'policies.md').map(({ kind }) => kind));
  t.deepEqual([...new Set(kinds)].sort(), [...ruleKindNames()].sort());
});

test('JSON is read, too, and an empty list is a policy', (t) => {
  t.deepEqual(parsePolicyFile('{"rules": []}', 'x.json'), []);
  t.deepEqual(parsePolicyFile('{"rules": [{"kind": "ttl", "max_seconds": 5}]}', 'x.json'), [{ kind: 'ttl', max_seconds: 5 }]);
});

test('the schema alone takes the examples and refuses a stranger in each', (t) => {
  const validate = new Ajv2020({ strictRequired: false, strictTypes: false }).compile(
    JSON.parse(read('config/policy.schema.json')) as object,
  );
  for (const text of examples()) {
    const file = parse(text) as { readonly rules: readonly object[] };
    t.true(validate(file), JSON.stringify(validate.errors));
    for (const rule of file.rules) t.false(validate({ rules: [{ ...rule, stranger: 1 }] }));
  }
});

test('more rules than a place may have are refused', (t) => {
  const rules = Array.from({ length: 65 }, () => ({ kind: 'require_reason' }));
  t.throws(() => parsePolicyFile(JSON.stringify({ rules }), 'x.json'), { message: /x\.json:1:\d+ rules: / });
});
