import test from 'ava';
import { judgeAddress, type AddressVerdict } from '../../../src/upstream/address-guard.ts';

const CASES: Readonly<Record<AddressVerdict, readonly string[]>> = {
  public: ['1.1.1.1', '8.8.8.8', '93.184.216.34', '100.63.255.255', '100.128.0.1', '172.15.255.255', '172.32.0.1', '2606:4700::1111'],
  private: [
    ...['127.0.0.1', '127.255.255.254', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', '198.18.0.1', '240.0.0.1'],
    ...['::1', 'fc00::1', 'fd12:3456::1', '::ffff:10.0.0.1', '64:ff9b::7f00:1', '2002:7f00:1::', '::127.0.0.1', '64:ff9b::808:808'],
  ],
  never: [
    ...['0.0.0.0', '0.1.2.3', '169.254.169.254', '169.254.0.1', '224.0.0.1', '255.255.255.255'],
    ...['::', 'fe80::1', 'ff02::1', '::ffff:169.254.169.254', '64:ff9b::a9fe:a9fe', '2002:a9fe:a9fe::', '::169.254.169.254'],
    ...['fd00:ec2::254', '100.100.100.200', '168.63.129.16', '192.0.0.192', 'not an address', ''],
  ],
};
for (const verdict of ['public', 'private', 'never'] as const) {
  for (const address of CASES[verdict]) {
    test(`${address === '' ? 'the empty text' : address} is ${verdict}`, (t) => {
      t.is(judgeAddress(address), verdict);
    });
  }
}
