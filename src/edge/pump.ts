import type { Host } from '../core/host.ts';

/** The alarm of an object: one, that survives it. */
export interface Alarm {
  getAlarm(): Promise<number | null>;
  setAlarm(at: number): Promise<void>;
  deleteAlarm(): Promise<void>;
}

export interface PumpParts {
  readonly alarm: Alarm;
  /** Does everything that can be done now, and resolves when nothing can be. */
  readonly work: () => Promise<unknown>;
  /** When there is something to do again; `undefined` if only others can bring it. */
  readonly nextDue: () => Promise<number | undefined>;
  readonly host: Pick<Host, 'now' | 'after'>;
  readonly failed: (error: unknown) => void;
}

/**
 * From the first change on, and while it works, an alarm is set this far ahead or overdue: if the object dies, it is
 * woken at once.
 */
const GUARD_MS = 1_000;
/** What is due and cannot be done is looked at again after this long. */
const STUCK_MS = 60_000;
/** An alarm that is overdue by more was given up by the platform. */
const LATE_MS = 60_000;
/** The platform ends an alarm's handler after 15 minutes; the next alarm takes over before that. */
const SHIFT_MS = 600_000;
const MOST_BACKOFF_MS = 60_000;

/**
 * Keeps an object at work whenever there is something to do, and its alarm set whenever there may be. Alarms are rung at
 * least once, given up after six failures, and only one can be set, so what is set is worked out anew from what there is
 * to do, after everything that was done.
 */
export class Pump {
  readonly #parts: PumpParts;
  /** What the alarm is set to. */
  #alarmAt: number | undefined;
  #running: Promise<void> | undefined;
  #writes = 0;
  #failures = 0;

  constructor(parts: PumpParts) {
    this.#parts = parts;
  }

  /** The object has just been made, perhaps because an earlier one died at work. */
  async wakeUp(): Promise<void> {
    this.#alarmAt = await this.#found();
    this.#start();
  }

  /** Somebody asks something of the object: a good moment to see whether its alarm is still what it was. */
  async look(): Promise<void> {
    const expected = this.#alarmAt;
    if (this.#running) return;
    const found = await this.#found();
    if (found === expected || this.#alarmAt !== expected || this.#running) return;
    this.#alarmAt = found;
    this.#start();
  }

  /** Something was written, in this turn: the guard is part of the same change. */
  wrote(): void {
    this.#writes++;
    this.#setBy(this.#now() + GUARD_MS);
    this.#start();
  }

  /** The handler of the alarm. It is set again before anything else, because a handler that fails loses its alarm. */
  async rang(): Promise<void> {
    this.#alarmAt = undefined;
    this.#setBy(this.#now() + GUARD_MS);
    this.#start();
    const { host } = this.#parts;
    await new Promise<void>((resolve) => {
      const cancel = host.after(SHIFT_MS, resolve);
      void this.#running?.then(() => {
        cancel();
        resolve();
      });
    });
  }

  async #found(): Promise<number | undefined> {
    const found = await this.#parts.alarm.getAlarm();
    return found === null || found < this.#now() - LATE_MS ? undefined : found;
  }

  #start(): void {
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    // What is written in this turn belongs to one change.
    await null;
    for (let again: 'look' | 'wait' = 'look'; ; ) {
      const seen = this.#writes;
      try {
        await this.#parts.work();
        const due = await this.#parts.nextDue();
        if (this.#writes !== seen) continue;
        this.#failures = 0;
        const isDue = due !== undefined && due <= this.#now();
        if (isDue && again === 'look') {
          again = 'wait';
          continue;
        }
        this.#set(isDue ? this.#now() + STUCK_MS : due);
      } catch (error) {
        this.#parts.failed(error);
        this.#set(this.#now() + Math.min(GUARD_MS * 2 ** this.#failures++, MOST_BACKOFF_MS));
      }
      this.#running = undefined;
      return;
    }
  }

  #setBy(at: number): void {
    if (this.#alarmAt === undefined || this.#alarmAt > at) this.#set(at);
  }

  // Not awaited: it is part of this turn's change, and nothing leaves the object if that fails.
  #set(at: number | undefined): void {
    if (at === this.#alarmAt) return;
    this.#alarmAt = at;
    const { alarm } = this.#parts;
    (at === undefined ? alarm.deleteAlarm() : alarm.setAlarm(at)).catch(this.#parts.failed);
  }

  #now(): number {
    return this.#parts.host.now();
  }
}
