import test from 'ava';
import fc from 'fast-check';
import { EventWriter } from '../../../src/audit/event-json.ts';
import type { AuditDraft } from '../../../src/audit/event.ts';

const SOURCE = { proxy: 'a "quoted" näme', process: '0123abcd' };
const anyUnits = fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)) });
/** Mostly such as JSON writes as they are, so that the few others stand among them. */
const nearlyPlain = fc
  .string({ unit: fc.nat(0xff).map((unit) => String.fromCharCode(unit)), maxLength: 3 })
  .map((end) => `/v1/orders${end}`);
const text = fc.oneof(anyUnits, fc.string(), nearlyPlain, fc.uuid());
const some = fc.option(fc.oneof(fc.constantFrom('a', 'b'), text));
const list = fc.array(fc.oneof(fc.constantFrom('a', 'b'), text), { maxLength: 3 });
const count = fc.nat(3);

const drafts: fc.Arbitrary<AuditDraft> = fc.record({
  id: text,
  type: fc.constantFrom('request', 'tunnel', 'connect'),
  start: text,
  durationMs: count,
  app: some,
  keyId: some,
  agent: some,
  idp: some,
  user: some,
  group: some,
  principal: some,
  caller: some,
  clientAddress: text,
  protocol: text,
  method: text,
  scheme: text,
  host: text,
  port: count,
  path: text,
  queryNames: list,
  provider: some,
  secretId: some,
  secretVersion: fc.option(count),
  grantId: some,
  grantLabel: some,
  reason: some,
  context: fc.option(fc.dictionary(text, text, { maxKeys: 2 })),
  outcome: fc.constantFrom('success', 'aborted'),
  code: some,
  rule: some,
  warnings: list,
  status: fc.option(count),
  bytesIn: count,
  bytesOut: count,
  retries: count,
  injected: list,
  stages: list,
});

/** What the writer must write. */
function expected(draft: AuditDraft, seq: number): string {
  return JSON.stringify({ v: 1, ...draft, ...SOURCE, seq });
}

test('the text is that of the event, whatever the members hold', (t) => {
  fc.assert(
    fc.property(fc.array(drafts, { minLength: 1, maxLength: 4 }), (events) => {
      const writer = new EventWriter(SOURCE);
      return events.every((draft, seq) => writer.write(draft, seq) === expected(draft, seq));
    }),
  );
  t.pass();
});

test('an event that differs from the last one in one member only is written with that member', (t) => {
  fc.assert(
    fc.property(drafts, drafts, (first, second) => {
      const writer = new EventWriter(SOURCE);
      writer.write(first, 0);
      return (Object.keys(first) as (keyof AuditDraft)[]).every((name, seq) => {
        const other: AuditDraft = { ...first, [name]: second[name] };
        return writer.write(other, seq) === expected(other, seq) && writer.write(first, seq) === expected(first, seq);
      });
    }),
  );
  t.pass();
});

test('events that take turns are each written as they are, be they few or more than are kept', (t) => {
  const indexes = fc.array(fc.nat(99), { minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(fc.array(drafts, { minLength: 2, maxLength: 100 }), indexes, (events, order) => {
      const writer = new EventWriter(SOURCE);
      return order.every((index, seq) => {
        const draft = events[index % events.length];
        return draft !== undefined && writer.write(draft, seq) === expected(draft, seq);
      });
    }),
    { numRuns: 50 },
  );
  t.pass();
});

test('a list, or a context, that was written into after its event is written as it is now', (t) => {
  const [draft] = fc.sample(drafts, 1);
  if (draft === undefined) throw new Error('no sample');
  const stages = ['grant'];
  const context: Record<string, string> = { ticket: 'T-1' };
  const writer = new EventWriter(SOURCE);
  writer.write({ ...draft, stages, context }, 1);
  stages[0] = 'policy';
  context['ticket'] = 'T-2';
  t.is(writer.write({ ...draft, stages, context }, 2), expected({ ...draft, stages, context }, 2));
  writer.write({ ...draft, stages: ['grant'], context: null }, 3);
  stages.push('inject');
  t.is(writer.write({ ...draft, stages, context }, 4), expected({ ...draft, stages, context }, 4));
});

const [DRAFT] = fc.sample(drafts, 1);

test('every code unit is written as JSON writes it, at the beginning, in the middle and at the end of a text', (t) => {
  if (DRAFT === undefined) throw new Error('no sample');
  const writer = new EventWriter(SOURCE);
  for (let unit = 0; unit <= 0xffff; unit += unit < 0x100 || (unit >= 0x2000 && unit < 0x2040) ? 1 : 97) {
    const one = String.fromCharCode(unit);
    for (const path of [one, `${one}a`, `/a${one}b`, `/a${one}`]) {
      const draft: AuditDraft = { ...DRAFT, id: path, start: path, path };
      if (writer.write(draft, unit) !== expected(draft, unit)) t.fail(`U+${unit.toString(16)} in ${JSON.stringify(path)}`);
    }
  }
  t.pass();
});

for (const path of [
  '',
  '/',
  '/a b',
  '/"',
  '/\\',
  '/\\u0022',
  '/\n',
  '/\u007f',
  '/\u0080',
  '/é',
  '/\u2028',
  '/😀',
  '/\ud83d',
  '/%22%5C~!#[]',
]) {
  test(`the path ${JSON.stringify(path)}`, (t) => {
    if (DRAFT === undefined) throw new Error('no sample');
    const draft: AuditDraft = { ...DRAFT, path };
    const json = new EventWriter(SOURCE).write(draft, 1);
    t.is(json, expected(draft, 1));
    t.is((JSON.parse(json) as AuditDraft).path, path);
  });
}

test('an event is one line', (t) => {
  const writer = new EventWriter({ ...SOURCE, proxy: 'p\n1' });
  fc.assert(fc.property(drafts, (draft) => !/[\n\r]/.test(writer.write({ ...draft, path: '/a\nb', reason: '\r\n' }, 1))));
  t.pass();
});
