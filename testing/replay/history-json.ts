import { createRequire } from 'node:module';
import proto from '@temporalio/proto';
import { patchProtobufRoot } from '@temporalio/proto/lib/patch-protobuf-root.js';

/** What of protobufjs's JSON of messages is used. */
interface ProtoJson {
  fromJson(
    type: unknown,
    json: unknown,
    options: { readonly ignoreUnknownFields: boolean },
  ): unknown;
}

type HistoryMessage = proto.temporal.api.history.v1.IHistory;

/**
 * The SDK's own `historyFromJSON` fails where npm gives its packages copies of protobufjs of their own, as it does beside gRPC's: only
 * that of the messages knows their types.
 */
const requireBesideMessages = createRequire(
  createRequire(import.meta.url).resolve('@temporalio/proto'),
);
const protoJson = requireBesideMessages('protobufjs/ext/protojson') as ProtoJson;

// The types of the generated module lack what every root of protobufjs has.
const root = patchProtobufRoot({ ...proto }) as unknown as { lookupType(name: string): unknown };

/** A history as `temporal workflow show --output json` prints it. @throws Error whose message says what is wrong with it */
export function historyOfJson(json: unknown): HistoryMessage {
  const type = root.lookupType('temporal.api.history.v1.History');
  // A newer server may tell of more.
  const history = protoJson.fromJson(type, json, { ignoreUnknownFields: true });
  // The type that was looked up says so.
  return history as HistoryMessage;
}
