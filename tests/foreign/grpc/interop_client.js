// The interop cases of gRPC, after their public description, with @grpc/grpc-js as the client:
//   node interop_client.js 127.0.0.1:4711 empty_unary large_unary ...
// Prints a line for each case, "empty_unary ok" or what was wrong.
'use strict';
const assert = require('assert');
const path = require('path');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');
const protobuf = require('protobufjs');
const streams = require('./interop_client_streams.js');

const [address, ...cases] = process.argv.slice(2);
const load = (name) => grpc.loadPackageDefinition(
    loader.loadSync(path.join(__dirname, name), {keepCase: true, enums: String})).grpc;
const {TestService, UnimplementedService, WaitService} =
    load('interop.proto').testing;
const {Health} = load('health.proto').health.v1;
const plain = grpc.credentials.createInsecure();
const client = new TestService(address, plain);
const {status} = grpc;

// {error, answer, initial, trailing} of a unary call.
function unary(of, name, request, {metadata, options, then} = {}) {
  return new Promise((done) => {
    const seen = {};
    const fields = metadata || new grpc.Metadata();
    const call = of[name](request, fields, options || {}, (error, answer) => {
      Object.assign(seen, {error, answer});
      if (seen.status) done(seen);
    });
    call.on('metadata', (initial) => { seen.initial = initial; });
    call.on('status', (ended) => {
      seen.status = ended;
      if ('error' in seen) done(seen);
    });
    if (then) then(call);
  });
}

async function answered(...call) {
  const seen = await unary(...call);
  assert.ifError(seen.error);
  return seen;
}

async function ends_with(code, details, ...call) {
  const {error} = await unary(...call);
  assert.ok(error, 'it was answered');
  assert.strictEqual(error.code, code, `${error.code}: ${error.details}`);
  if (details !== undefined) assert.strictEqual(error.details, details);
  return error;
}

const large = {response_size: 314159, payload: {body: Buffer.alloc(271828)}};
const often = {'grpc.keepalive_time_ms': 15, 'grpc.keepalive_timeout_ms': 30000};
const special = '\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \u{1f608}\t\n';

const all = {
  async empty_unary() {
    const {answer} = await answered(client, 'EmptyCall', {});
    assert.deepStrictEqual({...answer}, {});
  },
  async large_unary() {
    const {answer} = await answered(client, 'UnaryCall', large);
    assert.ok(answer.payload.body.equals(Buffer.alloc(314159)));
  },
  // Sent in gzip, and so answered.
  async large_compressed() {
    const gzip = new TestService(address, plain, {
      'grpc.default_compression_algorithm': grpc.compressionAlgorithms.gzip,
    });
    const {answer} = await answered(gzip, 'UnaryCall', large);
    assert.ok(answer.payload.body.equals(Buffer.alloc(314159)));
    gzip.close();
  },
  async special_status_message() {
    const request = {response_status: {code: 2, message: special}};
    await ends_with(status.UNKNOWN, special, client, 'UnaryCall', request);
  },
  async status_code_and_message() {
    const request = {response_status: {code: 2, message: 'test status message'}};
    await ends_with(status.UNKNOWN, 'test status message', client, 'UnaryCall', request);
  },
  async custom_metadata() {
    const metadata = new grpc.Metadata();
    const bytes = Buffer.from([0xab, 0xab, 0xab]);
    metadata.set('x-grpc-test-echo-initial', 'test_initial_metadata_value');
    metadata.set('x-grpc-test-echo-trailing-bin', bytes);
    const seen = await answered(client, 'UnaryCall', large, {metadata});
    assert.deepStrictEqual(seen.initial.get('x-grpc-test-echo-initial'),
                           ['test_initial_metadata_value']);
    assert.ok(seen.status.metadata.get('x-grpc-test-echo-trailing-bin')[0].equals(bytes));
  },
  // The same of a stream. The head has come before the first message goes.
  async custom_metadata_of_stream() {
    const metadata = new grpc.Metadata();
    const bytes = Buffer.from([0xab, 0xab, 0xab]);
    metadata.set('x-grpc-test-echo-initial', 'test_initial_metadata_value');
    metadata.set('x-grpc-test-echo-trailing-bin', bytes);
    const call = client.FullDuplexCall(metadata);
    const sizes = [];
    call.on('data', ({payload}) => { sizes.push(payload.body.length); call.end(); });
    const ended = new Promise((done) => call.on('status', done));
    const initial = await new Promise((done) => call.on('metadata', done));
    assert.deepStrictEqual(initial.get('x-grpc-test-echo-initial'),
                           ['test_initial_metadata_value']);
    call.write({response_parameters: [{size: 314159}], payload: large.payload});
    const seen = await ended;
    assert.strictEqual(seen.code, status.OK, seen.details);
    assert.deepStrictEqual(sizes, [314159]);
    assert.ok(seen.metadata.get('x-grpc-test-echo-trailing-bin')[0].equals(bytes));
    assert.deepStrictEqual(seen.metadata.get('x-grpc-test-echo-initial'), []);
  },
  async status_code_and_message_of_stream() {
    const call = client.FullDuplexCall();
    call.write({response_status: {code: 2, message: special}});
    const error = await new Promise((done) => { call.on('error', done); call.on('data', done); });
    assert.strictEqual(error.code, status.UNKNOWN);
    assert.strictEqual(error.details, special);
  },
  // A method that is not there, asked in each of the three ways that have streams.
  async unimplemented_streams() {
    const raw = new grpc.Client(address, plain);
    const said = (call) => new Promise((done) => {
      call.on('error', done);
      call.on('data', done);
    });
    for (const where of ['/grpc.testing.TestService/Nothing', '/grpc.testing.Nothing/Nothing']) {
      const both = [where, (bytes) => bytes, (bytes) => bytes];
      const errors = [
        await said(raw.makeServerStreamRequest(...both, Buffer.alloc(0))),
        await said(raw.makeBidiStreamRequest(...both)),
        await new Promise((done) => raw.makeClientStreamRequest(...both, done).end()),
      ];
      for (const error of errors) assert.strictEqual(error.code, status.UNIMPLEMENTED);
    }
    raw.close();
  },
  // Not of the interop cases: the details of an error, which the service gives with code 14 and
  // message "details".
  async status_details() {
    const error = await ends_with(status.UNAVAILABLE, 'details', client, 'UnaryCall',
                                  {response_status: {code: 14, message: 'details'}});
    const [bytes] = error.metadata.get('grpc-status-details-bin');
    const root = new protobuf.Root();
    root.loadSync(path.join(__dirname, 'status.proto'), {keepCase: true});
    const told = root.lookupType('google.rpc.Status').decode(bytes);
    assert.strictEqual(told.code, 14);
    assert.strictEqual(told.message, 'details');
    assert.strictEqual(told.details.length, 1);
    assert.strictEqual(told.details[0].type_url, 'type.googleapis.com/google.rpc.RetryInfo');
    const retry = root.lookupType('google.rpc.RetryInfo').decode(told.details[0].value);
    assert.strictEqual(Number(retry.retry_delay.seconds), 3);
  },
  // Not of the interop cases: "" serves, "shop" does not, of others nothing is known.
  async health_check() {
    const health = new Health(address, plain);
    assert.strictEqual((await answered(health, 'Check', {})).answer.status, 'SERVING');
    assert.strictEqual((await answered(health, 'Check', {service: 'shop'})).answer.status,
                       'NOT_SERVING');
    await ends_with(status.NOT_FOUND, undefined, health, 'Check', {service: 'tea'});
    health.close();
  },
  // Not of the interop cases: each change is told to who watches. /shop/open makes "shop" serve.
  async health_watch() {
    const health = new Health(address, plain);
    const said = [];
    const call = health.Watch({service: 'shop'});
    const ended = new Promise((done) => call.on('status', done));
    call.on('error', () => {});
    call.on('data', ({status: is}) => {
      said.push(is);
      if (said.length === 2) return call.cancel();
      const bytes = (any) => any;
      client.makeUnaryRequest('/shop/open', bytes, bytes, Buffer.alloc(0), assert.ifError);
    });
    assert.strictEqual((await ended).code, status.CANCELLED);
    assert.deepStrictEqual(said, ['NOT_SERVING', 'SERVING']);
    health.close();
  },
  // Not of the interop cases: a call waits while its connection is asked often whether it is there.
  // It lasts as long as the server allows that and answers.
  async keep_alive() {
    const asks = new WaitService(address, plain, often);
    await ends_with(status.DEADLINE_EXCEEDED, undefined, asks, 'Wait', {},
                    {options: {deadline: Date.now() + 300}});
    asks.close();
  },
  async keep_alive_too_often() {
    const asks = new WaitService(address, plain, often);
    await ends_with(status.RESOURCE_EXHAUSTED, undefined, asks, 'Wait', {},
                    {options: {deadline: Date.now() + 30000}});
    asks.close();
  },
  async unimplemented_method() {
    await ends_with(status.UNIMPLEMENTED, undefined, client, 'UnimplementedCall', {});
  },
  async unimplemented_service() {
    const other = new UnimplementedService(address, plain);
    await ends_with(status.UNIMPLEMENTED, undefined, other, 'UnimplementedCall', {});
    other.close();
  },
  // As timeout_on_sleeping_server, of a unary call.
  async timeout_of_unary() {
    const waits = new WaitService(address, plain);
    const options = {deadline: Date.now() + 20};
    await ends_with(status.DEADLINE_EXCEEDED, undefined, waits, 'Wait', {}, {options});
    waits.close();
  },
  // Taken back once the handler runs: a call behind it on the same connection has been answered.
  async cancel() {
    const waits = new WaitService(address, plain);
    const then = async (call) => {
      await answered(client, 'EmptyCall', {});
      call.cancel();
    };
    await ends_with(status.CANCELLED, undefined, waits, 'Wait', {}, {then});
    waits.close();
  },
};

Object.assign(all, streams.cases((options) => new TestService(address, plain, options)));

async function main() {
  for (const name of cases) {
    try {
      if (!all[name]) throw new Error('there is no such case');
      await all[name]();
      console.log(`${name} ok`);
    } catch (error) {
      console.log(`${name}: ${error.message}`);
    }
  }
  process.exit(0);  // a call that node cancels before its head is out may be open for ever
}

setTimeout(() => { console.log('too slow'); process.exit(1); }, 60000).unref();
main();
