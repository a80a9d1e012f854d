// The client in node against a real Parley:
//
//   node end_to_end_test.js SERVICE
import {test} from 'node:test';

import {connect} from '../parley.js';
import {cases, runCase} from './cases.js';
import {requireWs, startBridge, startService} from './world.js';

const ws = requireWs();
const service = await startService(process.argv[2]);
const bridge = await startBridge(ws, service.port);

const world = {
  connect: (options) => connect(bridge.url, {WebSocket: ws.WebSocket, ...options}),
  cut: () => fetch(`${bridge.origin}/cut`),
};

await test('the client and a real Parley', async (t) => {
  for (const [name, run] of Object.entries(cases)) {
    await t.test(name, {timeout: 30_000}, () => runCase(run, world));
  }
});
bridge.end();
await service.end();
