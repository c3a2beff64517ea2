import type { Meddling } from '../photos/meddling.ts';
import type { Order, Report } from '../photos/orders.ts';

export interface Trouble {
  readonly code: string;
  readonly message: string;
}

/** One of this page's workers, as the page knows it. */
export interface Employee {
  readonly name: string;
  readonly state: 'starting' | 'working' | 'hanging' | 'failed';
  /** Why it failed. */
  readonly trouble?: Trouble;
}

/** The workers that live in this page. */
export class Workforce {
  readonly #database: string;
  readonly #script: string | URL;
  readonly #prefix: string;
  readonly #number: () => number;
  readonly #changed: () => void;
  readonly #troubled: (trouble: Trouble | undefined) => void;
  readonly #workers = new Map<string, { readonly worker: Worker; employee: Employee }>();
  #meddling: Meddling;

  constructor(parts: {
    readonly database: string;
    /** Where the engine's script is. */
    readonly script: string | URL;
    /** What the workers' names begin with: this page's. */
    readonly prefix: string;
    /** Another one for each of them. */
    readonly number: () => number;
    readonly meddling: Meddling;
    readonly changed: () => void;
    /** Hears what a worker complains of, and nothing once it works again. */
    readonly troubled: (trouble: Trouble | undefined) => void;
  }) {
    this.#database = parts.database;
    this.#script = parts.script;
    this.#prefix = parts.prefix;
    this.#number = parts.number;
    this.#meddling = parts.meddling;
    this.#changed = parts.changed;
    this.#troubled = parts.troubled;
  }

  get employees(): readonly Employee[] {
    return [...this.#workers.values()].map(({ employee }) => employee);
  }

  hire(): void {
    const name = `${this.#prefix}-${letter(this.#number())}`;
    const worker = new Worker(this.#script, { type: 'module', name });
    this.#workers.set(name, { worker, employee: { name, state: 'starting' } });
    worker.addEventListener('message', ({ data }: MessageEvent<Report>) => this.#hear(name, data));
    worker.addEventListener('error', ({ message }) => {
      this.#hear(name, { type: 'failed', code: 'UNEXPECTED', message: message || 'its script did not load' });
    });
    this.#order(worker, { type: 'work', database: this.#database, name, meddling: this.#meddling });
    this.#changed();
  }

  /** Ends a worker without a warning, in the middle of whatever it does. */
  kill(name: string): void {
    this.#workers.get(name)?.worker.terminate();
    this.#workers.delete(name);
    this.#changed();
  }

  /** Ends all of them; answers how many there were. */
  dismiss(): number {
    const names = [...this.#workers.keys()];
    for (const name of names) this.kill(name);
    return names.length;
  }

  /** Lets a worker run wild for a while. */
  hang(name: string, ms: number): void {
    const found = this.#workers.get(name);
    if (!found) return;
    this.#order(found.worker, { type: 'hang', ms });
    found.employee = { name, state: 'hanging' };
    setTimeout(() => {
      if (found.employee.state === 'hanging') found.employee = { name, state: 'working' };
      this.#changed();
    }, ms);
    this.#changed();
  }

  meddle(meddling: Meddling): void {
    this.#meddling = meddling;
    for (const { worker } of this.#workers.values()) this.#order(worker, { type: 'meddle', meddling });
  }

  #order(worker: Worker, order: Order): void {
    worker.postMessage(order);
  }

  #hear(name: string, report: Report): void {
    const found = this.#workers.get(name);
    if (!found) return;
    const { trouble: before } = found.employee;
    if (report.type === 'working') {
      found.employee = { name, state: 'working' };
      if (before) this.#troubled(undefined);
    } else {
      const { code, message } = report;
      found.employee = { name, state: 'failed', trouble: { code, message } };
      this.#troubled(found.employee.trouble);
    }
    this.#changed();
  }
}

/** a, b, …, z, aa, ab, … */
function letter(n: number): string {
  return (n >= 26 ? letter(Math.floor(n / 26) - 1) : '') + String.fromCharCode(97 + (n % 26));
}
