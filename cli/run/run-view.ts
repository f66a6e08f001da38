import { stripVTControlCharacters } from 'node:util';
import pc from 'picocolors';
import { formatDuration, pad, truncate, visibleWidth } from '../format.js';
import type { RunRow } from './run-rows.js';

/** Shows the rows of a run while they change. */
export interface RunView {
  show(rows: readonly RunRow[]): void;
  /** Shows the last state and gives the terminal back. */
  end(): void;
}

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'] as const;
const FRAME_MS = 80;

/** Columns between a label, a detail and a time. */
const GAP = '  ';
const TIME_WIDTH = 12;

/** A view for where the rows go: one that moves on a terminal, one that only grows elsewhere. */
export function runView(stream: NodeJS.WriteStream, labels: readonly string[]): RunView {
  const labelWidth = Math.max(0, ...labels.map(visibleWidth));
  return stream.isTTY ? new LiveView(stream, labelWidth) : new PlainView(stream, labelWidth);
}

/** Rows that are over stay; those that go on are written anew below them. */
class LiveView implements RunView {
  #rows: readonly RunRow[] = [];
  readonly #written = new Set<string>();
  #height = 0;
  #frame = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(
    private readonly stream: NodeJS.WriteStream,
    private readonly labelWidth: number,
  ) {
    stream.write('\u001b[?25l');
    this.#timer = setInterval(() => {
      this.#frame += 1;
      this.#draw();
    }, FRAME_MS);
    process.once('exit', this.#restore);
  }

  show(rows: readonly RunRow[]): void {
    this.#rows = rows;
    this.#draw();
  }

  end(): void {
    clearInterval(this.#timer);
    this.#draw();
    this.#restore();
    process.off('exit', this.#restore);
  }

  #restore = (): void => {
    this.stream.write('\u001b[?25h');
  };

  #draw(): void {
    const { columns } = this.stream;
    const over = this.#rows.filter((row) => isOver(row) && !this.#written.has(row.label));
    const running = this.#rows.filter((row) => row.state === 'running');
    over.forEach(({ label }) => this.#written.add(label));
    const spinner = FRAMES[this.#frame % FRAMES.length] ?? '';
    const lines = [...over, ...running].map((row) =>
      rowLine(row, this.labelWidth, columns, spinner),
    );
    // A Ctrl-C that the terminal has shown leaves the cursor behind its ^C.
    const back = this.#height === 0 ? '' : `\r\u001b[${String(this.#height)}A`;
    this.stream.write(`${back}\u001b[0J${lines.map((line) => `${line}\n`).join('')}`);
    this.#height = running.length;
  }
}

/** One line for each row that is over, for each failed attempt, and for one that waits for code. */
class PlainView implements RunView {
  readonly #told = new Map<string, string>();

  constructor(
    private readonly stream: NodeJS.WriteStream,
    private readonly labelWidth: number,
  ) {}

  show(rows: readonly RunRow[]): void {
    for (const row of rows) {
      const told = toldOf(row);
      if (told === '' || this.#told.get(row.label) === told) continue;
      this.#told.set(row.label, told);
      this.stream.write(`${rowLine(row, this.labelWidth, undefined, '…')}\n`);
    }
  }

  end(): void {
    // Everything was written as it came.
  }
}

function toldOf(row: RunRow): string {
  if (isOver(row)) return 'over';
  if (row.attempt > 1) return `attempt ${String(row.attempt)}`;
  return row.waiting === true ? 'waiting' : '';
}

function isOver({ state }: RunRow): boolean {
  return state !== 'pending' && state !== 'running';
}

/** `  ✓ split      → sentences           4 ms`, no wider than the terminal. */
export function rowLine(
  row: RunRow,
  labelWidth: number,
  columns: number | undefined,
  spinner: string,
): string {
  const elapsedMs =
    row.durationMs ?? (row.startedAt === undefined ? undefined : Date.now() - row.startedAt);
  const time = elapsedMs === undefined ? '' : formatDuration(elapsedMs);
  const attempt = row.attempt > 1 ? ` (attempt ${String(row.attempt)})` : '';
  const head = `  ${symbolOf(row, spinner)} ${pad(row.label, labelWidth)}`;
  const room = roomBeside(head, columns);
  const detail = truncate(singleLine(row.detail), room - visibleWidth(attempt));
  const shown = `${row.state === 'failed' ? pc.red(detail) : detail}${pc.yellow(attempt)}`;
  const width = Math.min(44, room);
  return `${head}${GAP}${pad(shown, width)}${GAP}${pc.dim(time.padStart(10))}`.trimEnd();
}

/** Columns that the detail of a row has, when its label is the longest. */
export function detailRoom(label: string, columns: number): number {
  return roomBeside(`  ⠋ ${label}`, columns);
}

function roomBeside(head: string, columns: number | undefined): number {
  if (columns === undefined) return Infinity;
  return Math.max(10, columns - visibleWidth(head) - GAP.length * 2 - TIME_WIDTH);
}

function symbolOf({ state }: RunRow, spinner: string): string {
  switch (state) {
    case 'completed':
      return pc.green('✓');
    case 'ignored':
      return pc.yellow('!');
    case 'failed':
      return pc.red('✗');
    case 'running':
      return pc.cyan(spinner);
    case 'pending':
    case 'cancelled':
      return pc.dim(state === 'pending' ? '·' : '-');
  }
}

/** What bodies say may hold anything, and a terminal obeys control characters. */
function singleLine(text: string): string {
  return stripVTControlCharacters(text).replace(/\s+/g, ' ').trim();
}
