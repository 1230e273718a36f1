import test from 'ava';
import type { ChangeEvent } from '../../../src/audit/change.ts';
import type { AuditEvent } from '../../../src/audit/event.ts';
import { formatChange, formatEvent } from '../../../src/cli/event-line.ts';
import type { Paint } from '../../../src/cli/output.ts';
import { auditDraft } from '../../support/audit-draft.ts';

const EVENT: AuditEvent = {
  v: 1,
  ...auditDraft('/v1/models', {
    id: '0b54d9c5-6c1c-4c1e-9d3c-0a9a5e2f7b11',
    start: '2026-03-04T05:06:07.000Z',
    durationMs: 132.4,
    queryNames: [],
    context: null,
    principal: 'system',
    provider: 'example',
    secretId: 'ms_0',
    grantId: '0b54d9c5-6c1c-4c1e-9d3c-0a9a5e2f7b12',
    grantLabel: 'nightly report',
  }),
  proxy: 'here',
  process: '0123abcd',
  seq: 1,
};

const plain: Paint = (_style, text) => text;

/** The line without its time, which depends on the time zone, and with single spaces. */
function line(changes: Partial<AuditEvent> = {}): string {
  return formatEvent({ ...EVENT, ...changes }, plain)
    .replace(/^\d\d-\d\d \d\d:\d\d:\d\d +/, '')
    .replaceAll(/ +/g, ' ');
}

test('a line has outcome, status, method, destination, grant and duration', (t) => {
  t.is(line(), 'success 200 GET api.example.com/v1/models nightly report 132 ms');
});

test('a refusal ends with its code and rule', (t) => {
  t.is(
    line({ outcome: 'policy_denied', status: 403, code: 'policy_violation', rule: 'methods' }),
    'policy_denied 403 GET api.example.com/v1/models nightly report 132 ms policy_violation/methods',
  );
});

test('unusual ports, plain HTTP, IPv6 and the names of the query are shown', (t) => {
  t.regex(line({ port: 8443, queryNames: ['q', 'page'] }), / api\.example\.com:8443\/v1\/models\?q&page /);
  t.regex(line({ scheme: 'http', port: 80 }), / http:\/\/api\.example\.com\/v1\/models /);
  t.regex(line({ scheme: 'http', port: 443 }), / http:\/\/api\.example\.com:443\//);
  t.regex(line({ host: '::1', port: 443 }), / \[::1\]\/v1/);
});

test('what is not known is a dash', (t) => {
  t.is(line({ host: '', port: 0, type: 'connect', status: null, grantLabel: null }), 'success - connect - - 132 ms');
});

test('long durations are told in seconds', (t) => {
  t.regex(line({ durationMs: 9_999 }), / 9999 ms$/);
  t.regex(line({ durationMs: 12_345 }), / 12\.3 s$/);
});

test('a path or a label cannot drive the terminal or forge a line', (t) => {
  const text = formatEvent({ ...EVENT, path: '/a\u001b[2J', grantLabel: 'x\nforged' }, plain);
  t.false(text.includes('\u001b'));
  t.false(text.includes('\n'));
});

test('an outcome of a newer version is shown as it is', (t) => {
  t.regex(line({ outcome: 'quarantined' as AuditEvent['outcome'] }), /^quarantined 200 /);
});

test('the colour tells the outcome', (t) => {
  const styles: string[] = [];
  formatEvent({ ...EVENT, outcome: 'principal_denied' }, (style, text) => {
    if (text.startsWith('principal_denied')) styles.push(style);
    return text;
  });
  t.deepEqual(styles, ['red']);
});

test('a change has what was done, to what, with what it is linked, which members, and who did it', (t) => {
  const change: ChangeEvent = {
    v: 1,
    id: 'e',
    type: 'change',
    start: EVENT.start,
    app: 'default',
    by: 'operator:ann',
    action: 'grant.clone',
    target: '0b54',
    label: 'a\u001b[2Jb',
    links: { source: '1c65', secret: 'ms_0' },
    members: ['label'],
  };
  const text = formatChange(change, plain)
    .replace(/^\S+ \S+ +/, '')
    .replaceAll(/ +/g, ' ');
  t.regex(text, /^change grant\.clone 0b54 \S+ source 1c65, secret ms_0 label by operator:ann$/);
  t.false(text.includes('\u001b'));
});
