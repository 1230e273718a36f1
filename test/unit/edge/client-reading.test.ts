import test from 'ava';
import { ClientReading } from '../../../src/edge/client-reading.ts';

test('a client is waited for only while something waits for it of which nothing is taken', (t) => {
  const socket = { bytesWritten: 0, writableLength: 0 };
  const reading = new ClientReading(socket, 0);
  const look = (now: number, written: number, waiting: number): number => {
    socket.bytesWritten = written;
    socket.writableLength = waiting;
    return reading.look(now);
  };
  t.is(look(1000, 0, 0), 0, 'nothing was written');
  t.is(look(2000, 100, 100), 0, 'it waits since some time after the look before');
  t.is(look(3000, 100, 100), 1000);
  t.is(look(4000, 200, 200), 2000, 'what is written is not yet taken');
  t.is(look(5000, 200, 150), 0, 'some was taken');
  t.is(look(6000, 250, 200), 1000);
  t.is(look(7000, 250, 0), 0, 'nothing waits any more');
  t.is(look(9000, 350, 100), 0, 'more waits, of which nothing was looked at before');
  t.is(look(9500, 350, 100), 500);
});
