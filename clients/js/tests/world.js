// What the tests with a real Parley need: the service behind its door, and a bridge to it that can
// be cut. The page of the browser test comes from here as well.
import {spawn} from 'node:child_process';
import {readFile} from 'node:fs/promises';
import {createServer} from 'node:http';
import {createRequire} from 'node:module';
import {connect as dial} from 'node:net';
import {once} from 'node:events';
import {createInterface} from 'node:readline';

const root = new URL('../', import.meta.url);

// The package ws. Without it the test is skipped.
export function requireWs() {
  try {
    return createRequire(import.meta.url)('ws');
  } catch {
    console.log('skipped: the package ws of npm is not installed');
    process.exit(77);
  }
}

// {port, end()}: the service, which ends with this process.
export async function startService(program) {
  const service = spawn(program, {stdio: ['pipe', 'pipe', 'inherit']});
  const [address] = await once(createInterface(service.stdout), 'line');
  const port = Number(address.split(':').pop());
  return {
    port,
    end: async () => {
      service.stdin.end();
      await once(service, 'exit');
    },
  };
}

// What asked for a WebSocket gets a connection to the service: the request as it came, then bytes
// both ways. Returns what cuts both.
function join(request, socket, head, port) {
  const tcp = dial(port, '127.0.0.1');
  const lines = [`${request.method} ${request.url} HTTP/1.1`];
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    lines.push(`${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}`);
  }
  tcp.write(`${lines.join('\r\n')}\r\n\r\n`);
  tcp.write(head);
  socket.pipe(tcp);
  tcp.pipe(socket);
  socket.on('error', () => tcp.destroy());
  tcp.on('error', () => socket.destroy());
  return () => {
    socket.destroy();
    tcp.destroy();
  };
}

// {url, origin, said(), end()}: serves the files of the client, brings WebSockets to `port`; a
// request for /cut ends them all without a word, what is posted to /said is what said() waits for.
export async function startBridge(port) {
  const cuts = new Set();
  let tell;
  const said = new Promise((resolve) => {
    tell = resolve;
  });
  const server = createServer(async (request, response) => {
    const {pathname} = new URL(request.url, 'http://localhost');
    if (pathname === '/cut') {
      for (const cut of cuts) cut();
      return response.end('cut');
    }
    if (pathname === '/said') {
      const pieces = [];
      for await (const piece of request) pieces.push(piece);
      tell(Buffer.concat(pieces).toString());
      return response.end();
    }
    try {
      const body = await readFile(new URL(`.${pathname}`, root));
      const type = pathname.endsWith('.js') ? 'text/javascript' : 'text/html';
      response.writeHead(200, {'content-type': `${type}; charset=utf-8`}).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  server.on('upgrade', (request, socket, head) => {
    const cut = join(request, socket, head, port);
    cuts.add(cut);
    socket.on('close', () => cuts.delete(cut));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${server.address().port}`;
  return {
    url: `${origin.replace('http', 'ws')}/parley`,
    origin,
    said: () => said,
    end: () => {
      for (const cut of cuts) cut();
      server.closeAllConnections();
      server.close();
    },
  };
}
