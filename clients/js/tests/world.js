// What the tests with a real Parley need: the service, and a way for a WebSocket to reach it. The
// page of the browser test comes from here as well.
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

// One WebSocket, one connection to the service: bytes both ways, each side's end is the other's.
function join(socket, port) {
  const tcp = dial(port, '127.0.0.1');
  socket.on('message', (data) => tcp.write(data));
  tcp.on('data', (data) => socket.send(data));
  tcp.on('end', () => socket.close(1000));
  tcp.on('error', () => socket.terminate());
  socket.on('close', () => tcp.end());
  socket.on('error', () => tcp.destroy());
  return () => {
    socket.terminate();
    tcp.destroy();
  };
}

// {url, origin, said(), end()}: serves the files of the client, brings WebSockets to `port`; a
// request for /cut ends them all without a word, what is posted to /said is what said() waits for.
export async function startBridge(ws, port) {
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
  const bridge = new ws.WebSocketServer({server});
  bridge.on('connection', (socket) => {
    const cut = join(socket, port);
    cuts.add(cut);
    socket.on('close', () => cuts.delete(cut));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${server.address().port}`;
  return {
    url: origin.replace('http', 'ws'),
    origin,
    said: () => said,
    end: () => {
      for (const cut of cuts) cut();
      server.closeAllConnections();
      server.close();
    },
  };
}
