// gRPC's interop service by @grpc/grpc-js: `node interop_server.js PORT_FILE [gzip]` writes its port
// to that file and serves until it is killed, for a minute at most.
'use strict';
const fs = require('fs');
const path = require('path');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');
const protobuf = require('protobufjs');

setTimeout(() => process.exit(1), 60000);
const [portFile, coding] = process.argv.slice(2);
const definition = loader.loadSync(path.join(__dirname, 'interop.proto'), {keepCase: true, arrays: true});
const {TestService} = grpc.loadPackageDefinition(definition).grpc.testing;

const zeros = (size) => ({payload: {body: Buffer.alloc(size)}});

// What a caller says is said back: the interop case custom_metadata.
function sayBack(call) {
  const initial = call.metadata.get('x-grpc-test-echo-initial');
  const trailing = call.metadata.get('x-grpc-test-echo-trailing-bin');
  const head = new grpc.Metadata();
  for (const value of initial) head.add('x-grpc-test-echo-initial', value);
  if (initial.length > 0) call.sendMetadata(head);
  const trailers = new grpc.Metadata();
  for (const value of trailing) trailers.add('x-grpc-test-echo-trailing-bin', value);
  return trailers;
}

// Not of the interop cases: an error with the message "details" has some.
const known = new protobuf.Root();
known.loadSync(path.join(__dirname, 'status.proto'), {keepCase: true});
function detailsOf({code, message}) {
  const bytesOf = (name, value) => {
    const type = known.lookupType(`google.rpc.${name}`);
    return Buffer.from(type.encode(type.fromObject(value)).finish());
  };
  const value = bytesOf('RetryInfo', {retry_delay: {seconds: 3}});
  return bytesOf('Status', {code, message,
    details: [{type_url: 'type.googleapis.com/google.rpc.RetryInfo', value}]});
}

function refused(request, metadata) {
  const status = request.response_status;
  if (!status || status.code === 0) return null;
  if (status.message === 'details') metadata.set('grpc-status-details-bin', detailsOf(status));
  return {code: status.code, details: status.message, metadata};
}

const server = new grpc.Server({'grpc.default_compression_algorithm': coding === 'gzip' ? 2 : 0});
server.addService(TestService.service, {
  EmptyCall: (call, answer) => answer(null, {}),
  UnaryCall: (call, answer) => {
    const trailers = sayBack(call);
    const error = refused(call.request, trailers);
    if (error) return answer(error);
    return answer(null, zeros(call.request.response_size), trailers);
  },
  StreamingOutputCall: (call) => {
    for (const part of call.request.response_parameters) call.write(zeros(part.size));
    call.end();
  },
  StreamingInputCall: (call, answer) => {
    let sum = 0;
    call.on('data', (request) => { sum += request.payload.body.length; });
    call.on('end', () => answer(null, {aggregated_payload_size: sum}));
  },
  FullDuplexCall: (call) => {
    const trailers = sayBack(call);
    call.on('data', (request) => {
      const error = refused(request, trailers);
      if (error) return call.emit('error', error);
      for (const part of request.response_parameters) call.write(zeros(part.size));
    });
    call.on('end', () => call.end(trailers));
  },
});
server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  fs.writeFileSync(portFile + '.new', String(port));
  fs.renameSync(portFile + '.new', portFile);
});
