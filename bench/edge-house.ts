import { Agent, request } from 'node:http';
import { TOKEN, type Workerd, workerd } from '../test/process/edge/workerd.ts';
import { clock } from './figures.ts';

interface Task {
  readonly load: 'chain' | 'fan' | 'raw';
  readonly steps: number;
  readonly runs?: number;
  readonly outside?: string;
  readonly concurrency?: number;
  readonly length?: number;
}

interface Done {
  readonly rowsWritten: number;
  readonly rowsRead: number;
  readonly length: number;
  readonly ms: number;
}

/** The runtime, and whoever asks it over connections that stay open. */
export class House {
  readonly runtime: Workerd;
  readonly #agent: Agent;
  #objects = 0;

  private constructor(runtime: Workerd, connections: number) {
    this.runtime = runtime;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  static async open(connections: number): Promise<House> {
    const house = new House(await workerd('bench/edge/worker.ts'), connections);
    await house.runtime.start();
    return house;
  }

  /** In an object of its own. */
  async measure(task: Task): Promise<Done> {
    let done = '';
    const name = `object-${this.#objects++}`;
    const ms = await clock(async () => {
      done = await this.post(`/measure/${name}`, task);
    });
    return { ...(JSON.parse(done) as Omit<Done, 'ms'>), ms };
  }

  post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<string> {
    return this.#ask('POST', path, JSON.stringify(body), headers);
  }

  get(path: string): Promise<string> {
    return this.#ask('GET', path);
  }

  /** When the run has ended. */
  result(run: string): Promise<string> {
    return this.get(`/runs/${run}/result?waitMs=25000`);
  }

  #ask(
    method: 'GET' | 'POST',
    path: string,
    body?: string,
    more: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    return new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...more };
      const asked = request(this.runtime.url + path, { method, agent: this.#agent, headers }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part) => {
          text += part;
        });
        response.on('end', () => {
          if (response.statusCode !== undefined && response.statusCode < 300) resolve(text);
          else reject(new Error(`${path} answered ${response.statusCode}: ${text}`));
        });
      });
      asked.on('error', reject);
      asked.end(body);
    });
  }

  async close(): Promise<void> {
    this.#agent.destroy();
    await this.runtime.remove();
  }
}
