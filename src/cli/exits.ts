import { FuselineError } from '../core/errors.ts';

/** What the exit code of every command means. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  stranded: 3,
  storage: 4,
  waiting: 5,
  defect: 70,
  interrupted: 130,
} as const;

export type Exit = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_HELP = `
Exit codes:
  0    done
  1    the run failed or was cancelled
  2    bad usage: a file, run, option or input that does not fit
  3    stranded: a step is ready that no live worker can handle, or, for
       check, an unfinished run does not fit the new code
  4    the storage cannot be used
  5    for simulate: a body waits for the real world, and has no fake
  70   a defect of fuseline itself
  130  interrupted before the work was done`;

/** The command cannot be carried out as it was given. */
export class UsageError extends Error {}

export function exitOf(error: unknown): Exit {
  if (error instanceof UsageError) return EXIT.usage;
  if (!(error instanceof FuselineError)) return EXIT.defect;
  switch (error.code) {
    case 'RUN_FAILED':
    case 'RUN_CANCELLED':
    case 'RUN_TIMEOUT':
    case 'NO_OUTPUT':
      return EXIT.failed;
    case 'STRANDED':
      return EXIT.stranded;
    case 'PROTOCOL_TOO_NEW':
    case 'STORAGE_CLOSED':
    case 'STORAGE_CORRUPT':
    case 'STORAGE_FULL':
    case 'STORAGE_FAILED':
    case 'STORAGE_UNSUPPORTED':
      return EXIT.storage;
    default:
      return EXIT.usage;
  }
}
