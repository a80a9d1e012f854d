// What only a browser can show.
import {equal, fails} from './cases.js';

function stateOf(states, wanted) {
  return new Promise((resolve) => states.push((state) => state === wanted && resolve()));
}

export const pageCases = {
  async 'it needs nothing that only node has'() {
    equal([typeof process, typeof Buffer, typeof require], ['undefined', 'undefined', 'undefined']);
  },

  async 'a page that goes away ends its calls, one that comes back dials again'({connect}) {
    const watching = [];
    const peer = await connect({onState: (state) => watching.forEach((look) => look(state))});
    const waiting = fails(peer.call('/wait'), {name: 'outcome_unknown'});
    await peer.call('/nothing');
    window.dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true}));
    await waiting;
    const isBack = stateOf(watching, 'open');
    window.dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}));
    await isBack;
    equal(await peer.call('/math/add', [1, 2]), 3);
  },

  async 'who is online again dials at once'({connect, cut}) {
    const watching = [];
    const reconnect = {intervalMs: 100_000, maxIntervalMs: 100_000, jitter: 0};
    const peer = await connect({
      reconnect, onState: (state) => watching.forEach((look) => look(state))});
    const isWaiting = stateOf(watching, 'waiting');
    await cut();
    await isWaiting;
    const isBack = stateOf(watching, 'open');
    window.dispatchEvent(new Event('online'));
    await isBack;
    equal(await peer.call('/math/add', [1, 2]), 3);
  },
};
