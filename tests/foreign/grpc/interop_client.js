// The interop cases of gRPC, after their public description, with @grpc/grpc-js as the client:
//   node interop_client.js 127.0.0.1:4711 empty_unary large_unary ...
// Prints a line for each case, "empty_unary ok" or what was wrong.
'use strict';
const assert = require('assert');
const path = require('path');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

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
    const call = of[name](request, metadata || new grpc.Metadata(), options || {}, (error, answer) => {
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
  // Not of the interop cases: "" serves, "shop" does not, of others nothing is known.
  async health_check() {
    const health = new Health(address, plain);
    assert.strictEqual((await answered(health, 'Check', {})).answer.status, 'SERVING');
    assert.strictEqual((await answered(health, 'Check', {service: 'shop'})).answer.status,
                       'NOT_SERVING');
    await ends_with(status.NOT_FOUND, undefined, health, 'Check', {service: 'tea'});
    health.close();
  },
  async unimplemented_method() {
    await ends_with(status.UNIMPLEMENTED, undefined, client, 'UnimplementedCall', {});
  },
  async unimplemented_service() {
    const other = new UnimplementedService(address, plain);
    await ends_with(status.UNIMPLEMENTED, undefined, other, 'UnimplementedCall', {});
    other.close();
  },
  async timeout_on_sleeping_server() {
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

module.exports = {all, client, status, assert};

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
  client.close();
}

setTimeout(() => { console.log('too slow'); process.exit(1); }, 60000).unref();
main();
