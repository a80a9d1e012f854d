// The same client in a browser: headless Chromium opens page.html, which runs the cases against a
// real Parley and posts what came of each.
//
//   node chromium_test.js SERVICE
import {spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

import {cases} from './cases.js';
import {pageCases} from './page_cases.js';
import {startBridge, startService} from './world.js';

const chromium = ['chromium', 'chromium-browser', 'google-chrome'].find(
  (name) => spawnSync(name, ['--version']).status === 0);
if (chromium === undefined) {
  console.log('skipped: chromium is not installed');
  process.exit(77);
}
const service = await startService(process.argv[2]);
const bridge = await startBridge(service.port);
const profile = mkdtempSync(join(tmpdir(), 'parley-chromium-'));
// A sandbox needs rights that a container does not have; the page is our own.
const browser = spawn(chromium, ['--headless', '--no-sandbox', '--disable-gpu',
  '--disable-dev-shm-usage', '--remote-debugging-port=0', '--no-first-run',
  `--user-data-dir=${profile}`, `${bridge.origin}/tests/page.html`],
{stdio: ['ignore', 'ignore', 'pipe']});
let complaints = '';
browser.stderr.on('data', (data) => {
  complaints = (complaints + data).slice(-10_000);
});

// Nothing of it outlives this test, which ctest ends after two minutes.
const patience = setTimeout(() => browser.kill('SIGKILL'), 110_000);
const said = await Promise.race([bridge.said(), once(browser, 'exit').then(() => null)]);
clearTimeout(patience);
let failed = 0;
if (said === null) {
  console.log(`chromium ended before the page was done:\n${complaints}`);
  failed = 1;
} else {
  const outcome = JSON.parse(said);
  for (const name of Object.keys({...cases, ...pageCases})) {
    if (outcome[name] !== 'ok') ++failed;
    console.log(`${outcome[name] === 'ok' ? 'ok' : 'FAILED'}: ${name}`,
      outcome[name] === 'ok' ? '' : outcome[name]);
  }
  browser.kill('SIGTERM');
  await once(browser, 'exit');
}
bridge.end();
await service.end();
rmSync(profile, {recursive: true, force: true, maxRetries: 5});
process.exit(failed === 0 ? 0 : 1);
