import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ADDRESS_VARIABLE, type SubjectCalls, type SubjectMessage } from './subject-calls.js';

/** The measured process has ended when it should not have, or answered with an error. */
export class SubjectFailed extends Error {
  override readonly name = 'SubjectFailed';
}

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Longest time that the measured process may take to end after it was told to. */
const STOP_LIMIT_MS = 15_000;

/** The load generator's end of the measured process. */
export class SubjectProcess {
  /** Base URL of Millrace's HTTP server in the process. */
  url = '';
  readonly #waiting = new Map<number, Waiting>();
  readonly #exited: Promise<void>;
  #calls = 0;

  private constructor(private readonly child: ChildProcess) {
    this.#exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        const error = new SubjectFailed(`the measured process ended (${String(code ?? signal)})`);
        for (const { reject } of this.#waiting.values()) reject(error);
        this.#waiting.clear();
        resolve();
      });
    });
  }

  /**
   * Starts the process and waits until its workers and its HTTP server are there.
   *
   * @param address - of the Temporal server
   * @param profileDir - gets V8 CPU profiles of all threads of the process
   */
  static async start(address: string, profileDir?: string): Promise<SubjectProcess> {
    const child = fork(fileURLToPath(new URL('subject.js', import.meta.url)), {
      env: { ...process.env, [ADDRESS_VARIABLE]: address },
      execArgv: profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`],
    });
    const subject = new SubjectProcess(child);
    await new Promise<void>((resolve, reject) => {
      subject.#waiting.set(0, {
        resolve: () => {
          resolve();
        },
        reject,
      });
      child.on('message', (message) => {
        // The process sends nothing else.
        subject.#take(message as SubjectMessage);
      });
    });
    return subject;
  }

  /** Asks something of the process. @throws {@link SubjectFailed} */
  async call<Name extends keyof SubjectCalls>(
    name: Name,
    argument: SubjectCalls[Name]['argument'],
  ): Promise<SubjectCalls[Name]['answer']> {
    this.#calls += 1;
    const id = this.#calls;
    const answer = new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
    });
    this.child.send({ id, name, argument });
    // The process answers a call with what `SubjectCalls` says.
    return (await answer) as SubjectCalls[Name]['answer'];
  }

  /** Ends the process, in order if it can. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_LIMIT_MS);
    await this.call('stop', null).catch(() => this.child.kill());
    await this.#exited;
    clearTimeout(timer);
  }

  #take(message: SubjectMessage): void {
    if (message.kind === 'ready') this.url = message.url;
    const id = message.kind === 'ready' ? 0 : message.id;
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (message.kind === 'failed') waiting?.reject(new SubjectFailed(message.error));
    else waiting?.resolve(message.kind === 'answer' ? message.answer : undefined);
  }
}
