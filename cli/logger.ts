import type { Writable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import pino, { type Logger } from 'pino';
import pretty from 'pino-pretty';
import pc from 'picocolors';
import type { Environment } from '../engine/project/secrets.js';
import { formatDuration } from './format.js';
import { ownPlaceInStack } from './stack-place.js';

/** Levels that `MILLRACE_LOG_LEVEL` may name. */
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** Where and how much is logged. */
export interface LoggerOptions {
  /** The config's `debug`. */
  readonly debug: boolean;
  readonly env: Environment;
  readonly stream: NodeJS.WriteStream;
  /** What is written to instead of the stream, for the stream. */
  readonly through?: Writable;
}

/** The level to log at: what `MILLRACE_LOG_LEVEL` says, else what the config's `debug` means. */
export function logLevel({ debug, env }: Pick<LoggerOptions, 'debug' | 'env'>): string {
  const asked = env['MILLRACE_LOG_LEVEL']?.toLowerCase();
  return LEVELS.find((level) => level === asked) ?? (debug ? 'debug' : 'info');
}

/** A logger: lines for a person on a terminal, JSON elsewhere. */
export function createLogger({ debug, env, stream, through = stream }: LoggerOptions): Logger {
  const level = logLevel({ debug, env });
  if (!stream.isTTY) return pino({ level, base: { pid: process.pid } }, through);
  const lines = pretty({
    colorize: pc.isColorSupported,
    destination: through,
    translateTime: 'SYS:HH:MM:ss',
    ignore: 'pid,hostname',
    hideObject: true,
    // What a line says of an error is in its text.
    errorLikeObjectKeys: [],
    messageFormat: (line, messageKey) => readable(line, messageKey),
    sync: true,
  });
  return pino({ level }, lines);
}

/** Fields that pino adds to every line, or that another part of the line shows. */
const SHOWN_ELSEWHERE: readonly string[] = [
  'level',
  'time',
  'pid',
  'hostname',
  'err',
  'reason',
  'pipe',
  'temporalRun',
  'durationMs',
];

/** Fields of a line about a request, which its head shows, or which only a search needs. */
const OF_REQUESTS: readonly string[] = [
  'requestId',
  'executionId',
  'method',
  'path',
  'status',
  'ms',
];

/** Longest text of one field on a terminal, in characters. */
const MAX_FIELD = 200;

function readable(line: Record<string, unknown>, messageKey: string): string {
  const request = requestHead(line);
  const hidden = [
    messageKey,
    ...SHOWN_ELSEWHERE,
    ...(request === undefined ? [] : OF_REQUESTS),
    // An error says itself of what type it is.
    ...(line['err'] === undefined ? [] : ['type']),
  ];
  const fields = Object.entries(line)
    .filter(([name]) => !hidden.includes(name))
    .map(([name, value]) => pc.dim(`${name}=${shown(value)}`));
  const reason = reasonOf(line);
  return [
    request ?? messageHead(line, messageKey),
    ...(reason === undefined ? [] : [reason]),
    ...fields,
  ].join('  ');
}

/** `pipe completed in 239 ms`. */
function messageHead(line: Record<string, unknown>, messageKey: string): string {
  const { durationMs } = line;
  const message = asText(line[messageKey]);
  return typeof durationMs === 'number' ? `${message} in ${formatDuration(durationMs)}` : message;
}

/** `POST /pipelines/summarize 200 in 12 ms`. */
function requestHead({ method, path, status, ms }: Record<string, unknown>): string | undefined {
  if (typeof method !== 'string' || typeof path !== 'string' || typeof ms !== 'number')
    return undefined;
  return `${method} ${asText(path)} ${asText(status)} in ${formatDuration(ms)}`;
}

/** An error's message and, of its stack, the first place that is in somebody's own files. */
function reasonOf({ err, reason }: Record<string, unknown>): string | undefined {
  if (typeof err !== 'object' || err === null)
    return reason === undefined ? undefined : pc.red(clip(asText(reason)));
  const message = 'message' in err ? asText(err.message) : '';
  const type = 'type' in err ? asText(err.type) : 'Error';
  const place =
    'stack' in err && typeof err.stack === 'string' ? ownPlaceInStack(err.stack) : undefined;
  const where = place === undefined ? '' : ` ${pc.dim(`(${place})`)}`;
  return `${pc.red(clip(type === 'Error' ? message : `${type}: ${message}`))}${where}`;
}

function shown(value: unknown): string {
  return clip(
    typeof value === 'string' && !/[\s"=]/.test(value) ? value : asText(JSON.stringify(value)),
  );
}

function asText(value: unknown): string {
  // Texts come from anywhere, and a terminal obeys control characters.
  return stripVTControlCharacters(typeof value === 'string' ? value : String(value)).replaceAll(
    '\n',
    '⏎',
  );
}

function clip(text: string): string {
  return text.length <= MAX_FIELD ? text : `${text.slice(0, MAX_FIELD)}…`;
}
