import test from 'ava';
import { parseYamlText } from '../../../src/config/yaml-document.ts';
import { CommandError } from '../../../src/errors.ts';

test('YAML and JSON are read', (t) => {
  const value = [{ a: 'x', b: ['y', 2, true, null] }];
  t.deepEqual(parseYamlText(JSON.stringify(value), 'file'), value);
  t.deepEqual(parseYamlText('- a: x\n  b: [y, 2, true, null]\n', 'file'), value);
  t.deepEqual(parseYamlText('at: 2027-01-31\n', 'file'), { at: '2027-01-31' }, 'a date is text');
  t.is(parseYamlText('', 'file'), null);
  t.deepEqual(parseYamlText('\uFEFF- a: x\n', 'file'), [{ a: 'x' }], 'a byte order mark');
});

for (const [what, text] of Object.entries({
  'a key that stands twice': 'a: sk-1\na: sk-2\n',
  'an alias': 'a: &x sk-1\nb: *x\n',
  'an unknown tag': 'a: !thing sk-1\n',
  'two documents': 'a: sk-1\n---\nb: sk-2\n',
  'broken text': 'a: [sk-1\n',
})) {
  test(`${what} is refused, and the text not repeated`, (t) => {
    const error = t.throws(() => parseYamlText(text, 'grants.yaml'), { instanceOf: CommandError });
    t.is(error.code, 'record_invalid');
    t.regex(error.message, /^grants\.yaml/);
    t.notRegex(error.message, /sk-/);
  });
}
