// The streaming cases of gRPC's interop description with @grpc/grpc-js, for interop_client.js.
'use strict';
const assert = require('assert');
const grpc = require('@grpc/grpc-js');

const sent = [27182, 8, 1828, 45904];
const wanted = [31415, 9, 2653, 58979];
const zeros = (size) => ({payload: {body: Buffer.alloc(size)}});
const asking = (size, sends) => ({response_parameters: [{size}], ...zeros(sends)});

// Hands the size of each answer to `then`, and gives all of them with the status of the end.
function ended(call, then = () => {}) {
  return new Promise((done) => {
    const sizes = [];
    call.on('data', ({payload}) => { sizes.push(payload.body.length); then(sizes); });
    call.on('error', () => {});
    call.on('status', ({code, details}) => done({sizes, code, details}));
  });
}

// `open` makes a client, with options for its channel.
exports.cases = (open) => {
  const client = open();
  const {OK, CANCELLED, DEADLINE_EXCEEDED} = grpc.status;

  async function is_answered(sizes, call, then) {
    const seen = await ended(call, then);
    assert.strictEqual(seen.code, OK, seen.details);
    assert.deepStrictEqual(seen.sizes, sizes);
  }

  return {
    client_streaming: () => new Promise((done, failed) => {
      const call = client.StreamingInputCall((error, total) => {
        if (error) return failed(error);
        done(assert.strictEqual(total.aggregated_payload_size, 74922));
      });
      for (const size of sent) call.write(zeros(size));
      call.end();
    }),
    async server_streaming() {
      const request = {response_parameters: wanted.map((size) => ({size}))};
      await is_answered(wanted, client.StreamingOutputCall(request));
    },
    async ping_pong() {
      const call = client.FullDuplexCall();
      const next = ({length}) => {
        if (length === wanted.length) return call.end();
        call.write(asking(wanted[length], sent[length]));
      };
      next([]);
      await is_answered(wanted, call, next);
    },
    async empty_stream() {
      const call = client.FullDuplexCall();
      call.end();
      await is_answered([], call);
    },
    async compressed_stream() {
      const gzip = open({
        'grpc.default_compression_algorithm': grpc.compressionAlgorithms.gzip,
      });
      const call = gzip.FullDuplexCall();
      call.write(asking(wanted[0], 50000));
      await is_answered([wanted[0]], call, () => call.end());
      gzip.close();
    },
    async cancel_after_begin() {
      const error = await new Promise((done) => {
        client.StreamingInputCall(done).cancel();
      });
      assert.strictEqual(error.code, CANCELLED);
    },
    async cancel_after_first_response() {
      const call = client.FullDuplexCall();
      call.write(asking(wanted[0], sent[0]));
      const seen = await ended(call, () => call.cancel());
      assert.deepStrictEqual(seen.sizes, [wanted[0]]);
      assert.strictEqual(seen.code, CANCELLED);
    },
    async timeout_on_sleeping_server() {
      const call = client.FullDuplexCall(new grpc.Metadata(), {deadline: Date.now() + 50});
      call.write(zeros(27182));
      assert.strictEqual((await ended(call)).code, DEADLINE_EXCEEDED);
    },
  };
};
