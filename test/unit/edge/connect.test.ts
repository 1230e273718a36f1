import test from 'ava';
import { AlterError } from '../../../src/errors.ts';
import { reveal } from '../../../src/secret/reveal.ts';
import { ConnectRefused, openTls } from '../../support/client.ts';
import { startServed } from '../../support/served.ts';

test('no leaf is minted for a client that has not authenticated', async (t) => {
  const served = await startServed({
    injection: {},
    // A key that is missing is refused at once, one that must be looked up later.
    authenticate: (key) => {
      if (key === undefined) throw new AlterError('invalid_key');
      if (reveal(key) !== 'good') return Promise.reject(new AlterError('invalid_key'));
      return { app: 'test', type: 'app', keyId: 'test' };
    },
  });
  t.teardown(() => served.stop());
  for (const headers of [[], ['Proxy-Authorization', 'Bearer bad']]) {
    const { answer } = await t.throwsAsync(openTls(served.proxy, 'api.test:443', { headers }), { instanceOf: ConnectRefused });
    t.is(answer.status, 407);
  }
  t.deepEqual(served.leaves, []);

  (await openTls(served.proxy, 'api.test:443', { headers: ['Proxy-Authorization', 'Bearer good'] })).destroy();
  t.deepEqual(served.leaves, ['api.test']);
});
