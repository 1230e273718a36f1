import test from 'ava';
import { privateHosts } from '../../../src/providers/private-hosts.ts';

for (const host of [
  'localhost',
  'db',
  'db:8443',
  'api.localhost',
  'nas.local',
  'api.corp.internal',
  '*.svc.internal',
  '{tenant}.corp.internal',
  '10.0.0.1',
  '127.0.0.1:8443',
  '192.168.1.1',
  '172.31.0.1',
  '169.254.169.254',
  '100.64.0.1',
  '0.0.0.0',
  '[::1]',
  '[fd00::1]:8443',
  '[fe80::1]',
]) {
  test(`${host} is private`, (t) => {
    t.deepEqual(privateHosts({ hosts: ['api.example.com', host] }), [host]);
  });
}

for (const host of ['api.example.com', 'local.example.com', 'internal.com', '*.example.com', '8.8.8.8', '172.32.0.1', '[2606:4700::1]']) {
  test(`${host} is not`, (t) => {
    t.deepEqual(privateHosts({ hosts: [host] }), []);
  });
}
