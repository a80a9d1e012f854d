// The client in node against a real Parley:
//
//   node end_to_end_test.js SERVICE
import {equal} from 'node:assert/strict';
import {once} from 'node:events';
import {test} from 'node:test';

import {connect} from '../parley.js';
import {cases, runCase} from './cases.js';
import {requireWs, startBridge, startService} from './world.js';

const ws = requireWs();
const service = await startService(process.argv[2]);
const bridge = await startBridge(service.port);

const world = {
  connect: (options, url) => connect(url, {WebSocket: ws.WebSocket, ...options}),
  url: bridge.url,
  cut: () => fetch(`${bridge.origin}/cut`),
};

await test('the door agrees on the protocol', async () => {
  const socket = new ws.WebSocket(`ws://127.0.0.1:${service.port}/parley`, 'parley');
  await once(socket, 'open');
  equal(socket.protocol, 'parley');
  socket.close();
  await once(socket, 'close');
});
await test('the client and a real Parley', async (t) => {
  for (const [name, run] of Object.entries(cases)) {
    await t.test(name, {timeout: 30_000}, () => runCase(run, world));
  }
});
bridge.end();
await service.end();
