/** Contract: a body is a JSON object with known members, all of them strings, or it is refused; nothing in it is guessed. */
import test from 'ava';
import { parseGrantRequest } from '../../../src/admin/grant-request.ts';
import { AlterError } from '../../../src/errors.ts';

const parse = (body: string | Buffer) => parseGrantRequest(Buffer.from(body));

test('secret and label are enough', (t) => {
  t.deepEqual(parse('{"secret":"stripe","label":"nightly"}'), { secret: 'stripe', label: 'nightly' });
});

test('a life is a duration or an instant', (t) => {
  t.deepEqual(parse('{"secret":"s","label":"l","ttl":"1h30m"}'), { secret: 's', label: 'l', ttlMs: 5_400_000 });
  const expiresAt = Date.UTC(2027, 0, 31, 18);
  t.deepEqual(parse('{"secret":"s","label":"l","expires_at":"2027-01-31T18:00:00Z"}'), { secret: 's', label: 'l', expiresAt });
});

const WRONG: Readonly<Record<string, string | Buffer>> = {
  nothing: '',
  'a text': '"stripe"',
  null: 'null',
  'a list': '[{"secret":"s","label":"l"}]',
  'two objects': '{"secret":"s","label":"l"}{}',
  'no UTF-8': Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]),
  'no secret': '{"label":"l"}',
  'a secret that is null': '{"secret":null,"label":"l"}',
  'a number': '{"secret":"s","label":"l","ttl":3600}',
  'another member': '{"secret":"s","label":"l","agent":"other"}',
  'a member of another spelling': '{"secret":"s","label":"l","expiresAt":"2027-01-31"}',
  'the prototype': '{"secret":"s","label":"l","__proto__":"x"}',
  'inherited members': '{"__proto__":{"secret":"s","label":"l"}}',
  'a duration without a unit': '{"secret":"s","label":"l","ttl":"60"}',
  'a day that there is not': '{"secret":"s","label":"l","expires_at":"2027-02-29"}',
  'two lives': '{"secret":"s","label":"l","ttl":"1h","expires_at":"2027-01-31"}',
};

for (const [what, body] of Object.entries(WRONG)) {
  test(`${what} is refused`, (t) => {
    t.is(t.throws(() => parse(body), { instanceOf: AlterError }).code, 'grant_request_invalid');
  });
}
