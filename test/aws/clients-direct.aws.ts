/** The clients without the proxy, with the real key: what the verifier says of them here, it must say of them behind the proxy. */
import test from 'ava';
import { declareClients } from './support/declare-clients.ts';
import { startDirect, type DirectScene } from './support/direct.ts';

let scene: DirectScene;

test.before(async () => {
  scene = await startDirect();
});

test.after.always(() => scene.stop());

declareClients('direct', () => scene);
