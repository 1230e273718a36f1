/** Contract: a pattern of a provider file ends soon on every value; what cannot be sure to is not taken. */
import test from 'ava';
import { fitsPattern, patternFault } from '../../../src/providers/pattern.ts';

for (const pattern of [
  '^sk-\\S+$',
  '^(?:sk|rk)_(?:live|test)_\\S+$',
  '^[^\\s@:]+@[^\\s@]+$',
  '^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}$',
  '^(?:a[(+*]b)?$',
  '^\\(\\+\\)+$',
  '^(?:AC|SK)[0-9]{32}$',
]) {
  test(`${pattern} is taken`, (t) => {
    t.is(patternFault(pattern), undefined);
  });
}

for (const [pattern, fault] of [
  ['sk-', /from \^ to \$/],
  ['^sk-', /from \^ to \$/],
  ['^($', /not a regular expression/],
  ['^\\q$', /not a regular expression/],
  ['^(a+)+$', /repetition/],
  ['^(?:a|aa)+$', /repetition/],
  ['^(?:(?:a)b)*$', /repetition/],
  ['^(?:a{2,}){3}$', /repetition/],
  ['^(?:a?){2,}$', /repetition/],
  ['^(a)\\1$', /looks/],
  ['^(?=a).*$', /looks/],
  ['^(?<!a).*$', /looks/],
  ['^(?<n>a)\\k<n>$', /looks/],
  ['^.*.*.*$', /more than 2 repetitions/],
  ['^a|b$', /alternative outside/],
  [`^${'a'.repeat(200)}$`, /longer than/],
] as const) {
  test(`${pattern.slice(0, 30)} is not taken`, (t) => {
    t.regex(patternFault(pattern) ?? '', fault);
  });
}

test('a whole value must fit, and a very long one does not', (t) => {
  t.true(fitsPattern('^sk-\\S+$', 'sk-1'));
  for (const value of ['sk-', ' sk-1', 'sk-1 ', 'sk-1\n', 'xsk-1', `sk-${'a'.repeat(8192)}`]) t.false(fitsPattern('^sk-\\S+$', value));
});
