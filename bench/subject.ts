/** The measured process: hand-written code, its double, and Millrace, each with a worker of its own on one connection. */
import { mkdtemp, rm } from 'node:fs/promises';
import { devNull, tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { connectWorkerClient, installRuntime } from '../engine/native-connection.js';
import { temporalLogger } from '../worker/temporal-logger.js';
import type { DirectVariant } from './cells.js';
import { timeOf, timeOfBlock } from './load.js';
import { startMillracePeer, type MillracePeer } from './millrace/peer.js';
import { rawBundle, startRawPeer, type Peer, type Shared } from './raw/peer.js';
import { ADDRESS_VARIABLE, type SubjectCall, type SubjectMessage } from './subject-calls.js';

interface Subject {
  readonly peers: Readonly<Record<DirectVariant, Peer>>;
  readonly millrace: MillracePeer;
  stop(): Promise<void>;
}

async function start(address: string): Promise<Subject> {
  // Written as in production, one JSON line at a time; where the lines go is not what is measured.
  const log = pino(pino.destination(devNull));
  installRuntime(temporalLogger(log));
  const cacheDir = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  const link = await connectWorkerClient({ address, namespace: 'default', credentials: {} });
  const shared: Shared = { ...link, options: { shutdownGraceTime: '1s' } };
  const code = await rawBundle(temporalLogger(log));
  const raw = await startRawPeer(shared, code, 'bench-raw');
  const control = await startRawPeer(shared, code, 'bench-control');
  const millrace = await startMillracePeer({
    ...shared,
    log,
    taskQueue: 'bench-millrace',
    cacheDir,
  });
  return {
    peers: { raw, control, engine: millrace },
    millrace,
    stop: async () => {
      await Promise.all([raw.stop(), control.stop(), millrace.stop()]);
      await link.close();
      await rm(cacheDir, { recursive: true, force: true });
    },
  };
}

async function answer(subject: Subject, call: SubjectCall): Promise<unknown> {
  const { peers, millrace } = subject;
  switch (call.name) {
    case 'run': {
      const { scenario, variant } = call.argument;
      return timeOf(scenario, () => peers[variant].run(scenario));
    }
    case 'block': {
      const { scenario, variant, ...block } = call.argument;
      return timeOfBlock(scenario, block, () => peers[variant].run(scenario));
    }
    case 'cpu': {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1_000;
    }
    case 'eventIds':
      return millrace.eventIds(call.argument.executionId);
    case 'stop':
      await subject.stop();
      return null;
  }
}

/** The load generator has the other end of the channel. */
function tell(message: SubjectMessage): void {
  process.send?.(message);
}

const address = process.env[ADDRESS_VARIABLE];
if (address === undefined)
  throw new Error(`${ADDRESS_VARIABLE} is not set: this file is started by run.js`);
const started = await start(address);
process.on('message', (message) => {
  // The load generator sends nothing else.
  const call = message as SubjectCall;
  answer(started, call).then(
    (answered) => {
      tell({ kind: 'answer', id: call.id, answer: answered });
      if (call.name === 'stop') process.disconnect();
    },
    (error: unknown) => {
      tell({
        kind: 'failed',
        id: call.id,
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
    },
  );
});
// The load generator has ended, in whichever way.
process.once('disconnect', () => process.exit());
tell({ kind: 'ready', url: started.millrace.url });
