import test from 'ava';
import { AlterError } from '../../../src/errors.ts';
import { HeaderList } from '../../../src/message/header-list.ts';
import type { MaybePromise } from '../../../src/message/maybe-promise.ts';
import type { ResponseHead } from '../../../src/message/response.ts';
import { SecondTry, wantsSecondTry } from '../../../src/pipeline/second-try.ts';

const head = (status: number): ResponseHead => ({ status, reason: '', headers: new HeaderList() });

/** What the client side is told, in order. */
function standing(ask: () => MaybePromise<boolean>): { told: string[]; gate: SecondTry; end(): void } {
  const told: string[] = [];
  let over = false;
  const gate: SecondTry = new SecondTry({
    ask,
    over: () => over,
    again: () => told.push('again'),
    resume: () => told.push('resume'),
    sink: {
      informational: ({ status }) => told.push(String(status)),
      head: ({ status }) => told.push(String(status)),
      write: (chunk) => {
        told.push(String(chunk));
        return !told.includes('full');
      },
      end: () => told.push('end'),
      fail: ({ code }) => told.push(code),
    },
  });
  return {
    told,
    gate,
    end() {
      over = true;
    },
  };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('no: passed on at once, and not asked again', (t) => {
  let asked = 0;
  const { told, gate } = standing(() => {
    asked += 1;
    return false;
  });
  gate.informational(head(103));
  gate.head(head(200));
  t.true(gate.write(Buffer.from('a')));
  gate.end();
  t.deepEqual([told, asked], [['103', '200', 'a', 'end'], 1]);
});

test('yes: the answer is dropped, the next one passed on unasked', async (t) => {
  const { told, gate } = standing(() => true);
  gate.head(head(401));
  t.false(gate.write(Buffer.from('a')), 'the rest is held back');
  gate.end();
  await settled();
  t.deepEqual(told, ['again']);
  gate.head(head(401));
  gate.write(Buffer.from('b'));
  gate.end();
  t.deepEqual(told, ['again', '401', 'b', 'end']);
});

for (const [name, ask] of [
  ['no after a while', async () => Promise.resolve(false)],
  ['a defect', async () => Promise.reject(new Error('defect'))],
] as const) {
  test(`${name}: what was held back is passed on in order, and the rest flows`, async (t) => {
    const whole = standing(ask);
    whole.gate.head(head(401));
    whole.gate.write(Buffer.from('a'));
    whole.gate.end();
    await settled();
    t.deepEqual(whole.told, ['401', 'a', 'end']);

    const more = standing(ask);
    more.gate.head(head(401));
    await settled();
    more.gate.write(Buffer.from('b'));
    t.deepEqual(more.told, ['401', 'resume', 'b']);

    const broken = standing(ask);
    broken.gate.head(head(401));
    broken.gate.fail(new AlterError('upstream_unreachable'));
    await settled();
    t.deepEqual(broken.told, ['401', 'upstream_unreachable']);
  });
}

test('a client that is full is not flooded: the rest waits for its drain', async (t) => {
  const { told, gate } = standing(async () => Promise.resolve(false));
  gate.head(head(401));
  gate.write(Buffer.from('full'));
  await settled();
  t.deepEqual(told, ['401', 'full']);
});

test('an exchange that has ended meanwhile hears nothing, and nothing is sent again', async (t) => {
  for (const answer of [true, false]) {
    const { told, gate, end } = standing(async () => Promise.resolve(answer));
    gate.head(head(401));
    end();
    await settled();
    t.deepEqual(told, []);
  }
});

test('a question that throws is a no', (t) => {
  const { told, gate } = standing(() => {
    throw new Error('defect');
  });
  gate.head(head(401));
  t.deepEqual(told, ['401']);
});

test('what is sent again: a better credential is there, nothing has been done, and the request can be repeated', (t) => {
  const asked: number[] = [];
  const wants = (method: string, body?: object, { better = true, refusedUnprocessed = false } = {}): MaybePromise<boolean> => {
    const refreshAfter = ({ status }: ResponseHead): boolean => {
      asked.push(status);
      return better;
    };
    return wantsSecondTry(
      { request: { method }, body, resolved: { injection: { refreshAfter, refusedUnprocessed } } } as never,
      head(401),
      0,
    );
  };
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']) {
    t.true(wants(method), method);
    t.true(wants(method, { wholeBytes: 0 }), method);
    t.false(wants(method, {}), `${method} whose body has flowed away`);
    t.false(wants(method, undefined, { better: false }), method);
  }
  for (const method of ['POST', 'PATCH', 'get', 'CONNECT', 'PROPFIND']) {
    t.false(wants(method), method);
    t.true(wants(method, undefined, { refusedUnprocessed: true }), method);
    t.false(wants(method, {}, { refusedUnprocessed: true }), `${method} whose body has flowed away`);
  }
  t.is(asked.length, 5 * 4 + 5 * 3, 'also a request that cannot be sent again makes the next one better');
});

test('without a credential that can be renewed nothing is sent again', (t) => {
  t.false(wantsSecondTry({ request: { method: 'GET' } } as never, head(401), 0));
  t.false(wantsSecondTry({ request: { method: 'GET' }, resolved: { injection: {} } } as never, head(401), 0));
});
