import { isTimeZone } from '../definition/time-zone.js';
import { Cron } from 'croner';
import { durationMsOrNone, type Duration } from '../definition/duration.js';
import { isPlainObject } from '../definition/json.js';
import type { ProblemList } from '../pipeline/problem-list.js';

/** When a flow is started by itself, as a person writes it. */
export type FlowSchedule =
  /** By a Temporal Schedule, at a fixed interval. */
  | { readonly every: Duration }
  /** By a Temporal Schedule, at the times of a cron expression, in a time zone (IANA; UTC unless set). */
  | { readonly cron: string; readonly timezone?: string }
  /** By `POST /data_flows/heartbeat`, when so long has passed since its last run. */
  | { readonly heartbeat: { readonly every: Duration } };

/** When a flow is started by itself, compiled. */
export type SchedulePlan =
  | { readonly kind: 'every'; readonly seconds: number }
  | { readonly kind: 'cron'; readonly cron: string; readonly timezone: string }
  | { readonly kind: 'heartbeat'; readonly seconds: number }
  /** By hand, by the API, or after other flows. */
  | { readonly kind: 'none' };

/**
 * What happens when a scheduled run is due while another one goes on: Temporal's own policies. At most one run of a flow is
 * active, so that `ALLOW_ALL` is none of them.
 */
export const OVERLAP_POLICIES = [
  'SKIP',
  'BUFFER_ONE',
  'BUFFER_ALL',
  'CANCEL_OTHER',
  'TERMINATE_OTHER',
] as const;

/** One of {@link OVERLAP_POLICIES}. */
export type OverlapPolicy = (typeof OVERLAP_POLICIES)[number];

/** Temporal's shortest interval. */
const SECOND_MS = 1_000;

const FORMS =
  "Write schedule: { every: '5m' }, { cron: '0 3 * * *', timezone: 'Europe/Berlin' } or { heartbeat: { every: '10m' } }.";

/** The schedule of a flow. What is wrong with it is told; it is then as if there were none. */
export function compileSchedule(written: unknown, problems: ProblemList): SchedulePlan {
  if (written === undefined) return { kind: 'none' };
  const at = ['schedule'];
  if (!isPlainObject(written)) {
    problems.add(at, `schedule is ${JSON.stringify(written)}. ${FORMS}`);
    return { kind: 'none' };
  }
  const kinds = ['every', 'cron', 'heartbeat'].filter((name) => written[name] !== undefined);
  problems.under(at).unknownKeys('schedule: ', written, ['every', 'cron', 'timezone', 'heartbeat']);
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1) {
    problems.add(
      at,
      `schedule has ${kinds.length === 0 ? 'no time' : kinds.join(' and ')}. ${FORMS}`,
    );
    return { kind: 'none' };
  }
  if (kind === 'cron') return cronPlan(written, problems.under(at));
  if (written['timezone'] !== undefined)
    problems.add(
      [...at, 'timezone'],
      'schedule: a timezone belongs to a cron; an interval has none.',
    );
  if (kind === 'every')
    return intervalPlan('every', written['every'], problems.under([...at, 'every']));
  return heartbeatPlan(written['heartbeat'], problems.under([...at, 'heartbeat']));
}

function heartbeatPlan(written: unknown, problems: ProblemList): SchedulePlan {
  if (!isPlainObject(written) || written['every'] === undefined) {
    problems.add([], "schedule: write heartbeat: { every: '10m' }.");
    return { kind: 'none' };
  }
  problems.unknownKeys('schedule: heartbeat: ', written, ['every']);
  return intervalPlan('heartbeat', written['every'], problems.under(['every']));
}

function intervalPlan(
  kind: 'every' | 'heartbeat',
  written: unknown,
  problems: ProblemList,
): SchedulePlan {
  problems.timeout([], `schedule: ${kind}`, written);
  const ms = durationMsOrNone(written);
  if (ms === undefined) return { kind: 'none' };
  if (ms % SECOND_MS !== 0)
    problems.add([], `schedule: ${kind} is ${String(ms)} ms. Write whole seconds, at least one.`);
  return { kind, seconds: Math.max(1, Math.round(ms / SECOND_MS)) };
}

function cronPlan(written: Readonly<Record<string, unknown>>, problems: ProblemList): SchedulePlan {
  const { cron, timezone = 'UTC' } = written;
  if (typeof cron !== 'string') {
    problems.add(
      ['cron'],
      `schedule: cron is ${JSON.stringify(cron)}. Write a text such as '0 3 * * *'.`,
    );
    return { kind: 'none' };
  }
  if (typeof timezone !== 'string' || !isTimeZone(timezone)) {
    problems.add(
      ['timezone'],
      `schedule: there is no time zone ${JSON.stringify(timezone)}. Write an IANA name such as 'Europe/Berlin'.`,
    );
    return { kind: 'none' };
  }
  const wrong = cronProblem(cron);
  if (wrong !== undefined) problems.add(['cron'], `schedule: cron "${cron}": ${wrong}`);
  return { kind: 'cron', cron, timezone };
}

/** Fields that Temporal takes: five, or more with the seconds first and the year last. */
function cronProblem(cron: string): string | undefined {
  if (/^(?:CRON_)?TZ=/.test(cron)) return 'write the time zone beside it: timezone: …';
  if (/^@every\b/.test(cron)) return "write an interval as schedule: { every: '5m' }.";
  const fields = cron.trim().split(/\s+/);
  if (!cron.startsWith('@') && fields.length !== 5)
    return `it has ${String(fields.length)} ${fields.length === 1 ? 'field' : 'fields'}; write five: minute, hour, day of month, month, day of week.`;
  if (
    /[LW#?]/.test(
      fields
        .slice(2, 3)
        .concat(fields.slice(4))
        .join('')
        .replace(/[A-Z]{3}/gi, ''),
    )
  )
    return 'Temporal does not know L, W, # and ?.';
  try {
    new Cron(cron, { paused: true });
    return undefined;
  } catch (error) {
    return `${error instanceof Error ? error.message.replace(/^CronPattern: /, '') : String(error)}.`.replace(
      '..',
      '.',
    );
  }
}
