// A Parley peer over WebSocket. See README.md.

export type CodecName =
  'none' | 'json' | 'protobuf' | 'msgpack' | 'thrift' | 'xml' | 'plain' | 'form' | (string & {});
export type Pairs = [key: string, value: string][];
export type Metadata = Pairs | Record<string, string>;

export type CodeName =
  'ok' | 'cancelled' | 'unknown' | 'invalid_argument' | 'deadline_exceeded' | 'not_found' |
  'already_exists' | 'permission_denied' | 'resource_exhausted' | 'failed_precondition' |
  'aborted' | 'out_of_range' | 'unimplemented' | 'internal' | 'unavailable' | 'data_loss' |
  'unauthenticated' | 'not_sent' | 'outcome_unknown';
export const Code: Readonly<Record<CodeName, number>>;

export class ParleyError extends Error {
  constructor(code: CodeName | number, message: string, more?: {
    businessCode?: number; cause?: string; metadata?: Pairs; isRemote?: boolean;
  });
  // An error of one's own domain, numbered 1000 or more.
  static business(businessCode: number, message: string, more?: {cause?: string}): ParleyError;
  readonly code: number;
  // The name of its code: 'not_sent' may be repeated blindly, 'outcome_unknown' may have run.
  readonly name: CodeName;
  readonly businessCode: number;
  readonly cause: string;
  // That of the answer.
  readonly metadata: Pairs;
  // Another process made it.
  readonly isRemote: boolean;
}

export interface CallOptions {
  // Of a stream: as a whole; without it a stream has no end. Default of calls: callTimeoutMs.
  timeoutMs?: number;
  // Gives up: cancelled here, and over there.
  signal?: AbortSignal;
  metadata?: Metadata;
  // What the argument is written in. Bytes travel as they are, under this name.
  codec?: CodecName | number;
  // Of calls: filled with the metadata of the answer.
  replyMetadata?: Pairs;
}

// What a handler knows of its request.
export interface Context {
  readonly method: string;
  readonly isPush: boolean;
  readonly metadata: Pairs;
  // Ends when the caller gives up, at its deadline, and with the session.
  readonly signal: AbortSignal;
  // By performance.now(); Infinity: there is none.
  readonly deadline: number;
  // Travels beside the answer.
  readonly replyMetadata: Pairs;
  readonly peer: Peer;
}
export type Handler = (argument: any, context: Context) => unknown;
export type StreamHandler = (stream: ParleyStream, context: Context) => unknown;

// What may be asked on one connection, before it is everybody's.
export interface Session {
  call<Result = any>(method: string, argument?: unknown, options?: CallOptions): Promise<Result>;
  push(method: string, argument?: unknown, options?: CallOptions): Promise<void>;
  open<In = any, Out = any>(method: string, options?: CallOptions): Promise<ParleyStream<In, Out>>;
}

export type State = 'connecting' | 'open' | 'waiting' | 'closed';

export interface Reconnect {
  // Attempts in one outage. Infinity.
  count?: number;
  // Before the first one: 100. Each further one waits twice as long, up to maxIntervalMs: 10,000.
  intervalMs?: number;
  maxIntervalMs?: number;
  // By up to this part of itself each wait is made shorter at random: 0.5.
  jitter?: number;
  // Also when the other side has sent this very session away: false.
  afterGoAway?: boolean;
}

export interface Options {
  // What dials: that of the browser. Node before version 22 has none: the package ws does.
  WebSocket?: new (url: string, protocols?: string | string[]) => any;
  protocols?: string | string[];
  methods?: Record<string, Handler>;
  streams?: Record<string, StreamHandler>;
  // false: whoever is cut is closed.
  reconnect?: false | Reconnect;
  // Called on each new connection before anything else goes there: to log in. A throw refuses it.
  onConnect?: (session: Session, peer: Peer) => unknown;
  onState?: (state: State, detail: {
    reason?: ParleyError; attempt?: number; waitMs?: number;
  }) => void;
  // Told of what no caller sees: pushes that were dropped or failed.
  onReport?: (line: string) => void;

  // What arguments and results are written in: 'json'. Further ones by name or letter.
  codec?: CodecName | number;
  codecs?: Record<string, {encode(value: any): Uint8Array; decode(bytes: Uint8Array): any}>;
  // true: integers of JSON that no Number holds exactly (beyond 2^53) come as BigInt. false: they
  // come as the Number next to them. BigInts are always written as integers.
  bigInts?: boolean;

  callTimeoutMs?: number;      // 30,000
  connectTimeoutMs?: number;   // 10,000: until the other side's hello
  drainTimeoutMs?: number;     // 5,000: what close() waits for what is under way
  closeTimeoutMs?: number;     // 2,000: and then for the WebSocket
  pingIntervalMs?: number;     // 20,000 of silence, then it is asked; 0: never
  pingTimeoutMs?: number;      // 10,000 more, then it is cut
  maxCalls?: number;           // 10,000 under way, and as many that wait for a connection
  maxHandlers?: number;        // 1,024 at once; what is beyond is refused
  maxWaiting?: number;         // 1,024 messages that wait on one stream
  maxOutgoingBytes?: number;   // 4 MiB that have not left; who sends more waits
  maxBuffered?: number;        // 256 KiB of bufferedAmount; then nothing is given to the WebSocket
  maxUnfinishedBytes?: number; // 64 MiB of bodies that have come in part
  partBytes?: number;          // 64 KiB: larger bodies go in parts, small messages between them
  pollMs?: number;             // 20: how often bufferedAmount is looked at while something waits
  // What this side takes (docs/protocols/parley.md). Nothing may be below what that page says.
  takes?: {
    maxFrame?: number;       // 1 MiB
    maxMessage?: number;     // 16 MiB
    maxStreams?: number;     // 1,000
    streamCredit?: number;   // 256 KiB
    sessionCredit?: number;  // 4 MiB
    maxNames?: number;       // 1,024
  };
  // Whose pagehide, pageshow, online and offline are minded: the window, where there is one.
  page?: any;
}

// Resolves when the other side has answered; the first dial is not repeated. What fails before that
// is not_sent, and names the URL.
export function connect(url: string, options?: Options): Promise<Peer>;

export class Peer implements Session {
  private constructor();
  readonly state: State;
  // Resolves with the reason when there will be no further connection.
  readonly closed: Promise<ParleyError>;
  // Null: no longer.
  handle(name: string, handler: Handler | null): void;
  handleStream(name: string, handler: StreamHandler | null): void;
  // `argument`: undefined for none, the argument itself where there is one, a list of several.
  call<Result = any>(method: string, argument?: unknown, options?: CallOptions): Promise<Result>;
  push(method: string, argument?: unknown, options?: CallOptions): Promise<void>;
  open<In = any, Out = any>(method: string, options?: CallOptions): Promise<ParleyStream<In, Out>>;
  close(options?: {drainTimeoutMs?: number}): Promise<void>;
}

export class ParleyStream<In = any, Out = any> implements AsyncIterable<In> {
  private constructor();
  receive(): Promise<IteratorResult<In, undefined>>;
  [Symbol.asyncIterator](): AsyncIterator<In>;
  // Resolves when it is on its way: waits for room over there (credit) and here.
  send(value: Out): Promise<void>;
  sendAll(values: Iterable<Out> | AsyncIterable<Out>): Promise<void>;
  // By the side that opened it: no more is sent from here.
  finish(): Promise<void>;
  // By the side that opened it: nobody reads it any more.
  cancel(): void;
  readonly endMetadata: Pairs | undefined;
}
