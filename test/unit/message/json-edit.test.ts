import test from 'ava';
import fc from 'fast-check';
import { JsonEditError, setJsonMember } from '../../../src/message/json-edit.ts';

const set = (json: string, path: string): string => setJsonMember(json, path.split('.'), 'K"é');
const K = String.raw`"K\"é"`;

test('a member that is there is replaced, whatever it holds', (t) => {
  for (const value of ['"old"', '1', '-1.5e+10', 'null', 'true', '{"a":[1,{"b":"}"}]}', '[]', '["]",[[]]]', '{}', String.raw`"\\\"{"`]) {
    t.is(set(`{"x":1,"key":${value},"y":2}`, 'key'), `{"x":1,"key":${K},"y":2}`, value);
    t.is(set(` { "key" :\t${value}\n} `, 'key'), ` { "key" :\t${K}\n} `, value);
  }
});

test('a member that is missing is made, with what holds it', (t) => {
  t.is(set('{}', 'key'), `{"key":${K}}`);
  t.is(set('{ }', 'a.b.c'), `{"a":{"b":{"c":${K}}} }`);
  t.is(set('{"x": 1 }', 'key'), `{"x": 1,"key":${K} }`);
  t.is(set('{"a":{"x":{}},"b":0}', 'a.x.key'), `{"a":{"x":{"key":${K}}},"b":0}`);
  t.is(set('{"a":{"x":1}}', 'a.b.key'), `{"a":{"x":1,"b":{"key":${K}}}}`);
});

test('everything else stays character for character', (t) => {
  const before = String.raw`{"big":12345678901234567890123, "e":1E400, "u":"\u00e9\/", "list":[1 , 2], "key":"`;
  const after = '","d":0.10000000000000000001}';
  t.is(set(`${before}mine${after}`, 'key'), `${before.slice(0, -1)}${K}${after.slice(1)}`);
});

test('the name of a member is what it decodes to', (t) => {
  t.is(set(String.raw`{"\u006bey":1}`, 'key'), String.raw`{"\u006bey":` + `${K}}`);
  t.is(set('{"Key":1}', 'key'), `{"Key":1,"key":${K}}`);
  t.is(set('{"a.b":1}', 'a'), `{"a.b":1,"a":${K}}`);
});

test('what two readers could take for two things is refused', (t) => {
  for (const json of ['{"key":1,"key":2}', String.raw`{"key":1,"k\u0065y":2}`])
    t.throws(() => set(json, 'key'), { instanceOf: JsonEditError });
  t.throws(() => set('{"a":{},"a":{}}', 'a.key'), { instanceOf: JsonEditError });
  t.is(set('{"x":1,"x":2}', 'key'), `{"x":1,"x":2,"key":${K}}`, 'not on the way');
});

test('what is no object cannot hold it, and what is no JSON is refused', (t) => {
  for (const json of ['[]', '"key"', 'null', '1']) t.throws(() => set(json, 'key'), { message: /no|not/ });
  for (const json of ['{"a":1}', '{"a":null}', '{"a":[{}]}', '{"a":"{}"}'])
    t.throws(() => set(json, 'a.key'), { instanceOf: JsonEditError });
  for (const json of ['', '{', '{"key":1}}', "{'key':1}", '{"key":01}', '\ufeff{}', '{"key":1,}', '{} {}'])
    t.throws(() => set(json, 'key'), { message: 'the body is not JSON' }, json);
});

test('a text that nests deeply is read without a deep stack', (t) => {
  const deep = '['.repeat(200_000) + ']'.repeat(200_000);
  t.is(set(`{"a":${deep},"key":1}`, 'key').length, deep.length + `{"a":,"key":${K}}`.length);
});

test('for any JSON: what is read back is what was there, with the member set', (t) => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true }),
      fc.string(),
      fc.string(),
      fc.constantFrom(undefined, 1, '\t'),
      (object, name, value, indent) => {
        if (name === '__proto__' || Object.hasOwn(object, '__proto__')) return;
        const json = JSON.stringify(object, undefined, indent);
        const expected = { ...(JSON.parse(json) as object), [name]: value };
        t.deepEqual(JSON.parse(setJsonMember(json, [name], value)), JSON.parse(JSON.stringify(expected)));
      },
    ),
    { numRuns: 500 },
  );
});
