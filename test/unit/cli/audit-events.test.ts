import test from 'ava';
import { exchangesAmong, parseEvent } from '../../../src/cli/audit-events.ts';

const use = { type: 'request', start: '2026-03-04T05:06:07.000Z', outcome: 'success' };
const change = { type: 'change', start: '2026-03-04T05:06:07.000Z', action: 'grant.issue' };

test('uses and changes are events; exchanges are told from changes', (t) => {
  t.deepEqual(parseEvent(JSON.stringify(use)) as unknown, use);
  t.deepEqual(parseEvent(JSON.stringify(change)) as unknown, change);
  const events = [use, change, 'x'].map((event) => parseEvent(JSON.stringify(event)));
  t.deepEqual(exchangesAmong(events) as unknown, [use]);
});

for (const text of [
  '',
  '{',
  'null',
  '[]',
  '1',
  '{}',
  '{"start":"x"}',
  '{"type":"change","start":"x","outcome":"success"}',
  '{"start":1,"outcome":"success"}',
]) {
  test(`${text || 'nothing'} is no event`, (t) => {
    t.is(parseEvent(text), undefined);
  });
}
