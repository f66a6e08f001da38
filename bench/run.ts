/** `npm run bench`: compares Millrace with hand-written code on the same server. See docs/performance.md. */
import { startDevServer, type DevServer } from '../engine/dev-server/dev-server.js';
import { benchArguments, USAGE, WrongArguments, type BenchArguments } from './arguments.js';
import { cellsOf } from './cells.js';
import { writeReport } from './document.js';
import { countEvents } from './event-streams.js';
import { HttpClient } from './http-client.js';
import { describeMachine, type Machine } from './machine.js';
import { measure } from './measure.js';
import { Measurements } from './measurements.js';
import { isReached, report, type ReportFacts } from './report.js';
import { SubjectProcess } from './subject-process.js';

const onProgress = (message: string): void => {
  console.error(`bench: ${message}`);
};

async function bench(args: BenchArguments): Promise<ReportFacts> {
  const server = await startDevServer({ port: 0, uiPort: false, onProgress });
  try {
    const machine = await describeMachine(server.address);
    const subject = await SubjectProcess.start(server.address, args.profileDir);
    const http = new HttpClient();
    try {
      return await compare(args, { server, subject, http, machine });
    } finally {
      http.close();
      await subject.stop();
    }
  } finally {
    await server.stop();
  }
}

interface Bench {
  readonly server: DevServer;
  readonly subject: SubjectProcess;
  readonly http: HttpClient;
  readonly machine: Machine;
}

async function compare(
  args: BenchArguments,
  { server, subject, http, machine }: Bench,
): Promise<ReportFacts> {
  const { scenarios, samples, maxMinutes } = args;
  const startedAt = Date.now();
  const measurements =
    scenarios.length === 0
      ? new Measurements()
      : await measure({
          cells: cellsOf(scenarios),
          samples,
          deadline: startedAt + maxMinutes * 60_000,
          server,
          subject,
          http,
          onProgress,
        });
  if (args.eventStreams) onProgress('event streams');
  const eventStreams = args.eventStreams ? await countEvents(subject, http) : undefined;
  return {
    machine,
    measurements,
    scenarios,
    ...(eventStreams !== undefined && { eventStreams }),
    durationMs: Date.now() - startedAt,
  };
}

try {
  const args = benchArguments(process.argv.slice(2));
  const facts = await bench(args);
  const text = report(facts);
  console.log(text);
  if (args.complete) onProgress(`written to ${await writeReport(text)}`);
  if (!isReached(facts)) process.exitCode = 1;
} catch (error) {
  if (!(error instanceof WrongArguments)) throw error;
  console.error(`${error.message}\n\n${USAGE}`);
  process.exitCode = 2;
}
