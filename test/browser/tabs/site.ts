import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, resolve } from 'node:path';
import { build } from 'esbuild';

/** What a step of a page says outside the storage: the evidence against the journal. */
export interface Note {
  readonly who: string;
  readonly what: string;
  readonly run?: string;
  readonly step?: string;
  readonly attempt?: number;
  /** Epoch milliseconds, by the clock of the page. */
  readonly at: number;
}

const ENTRIES = {
  page: 'test/browser/tabs/web/page.ts',
  worker: 'test/browser/tabs/web/worker.ts',
  'shared-worker': 'test/browser/tabs/web/shared-worker.ts',
  'service-worker': 'test/browser/tabs/web/service-worker.ts',
  'clock-worker': 'dist/adapters/indexeddb/clock-worker.js',
};

const UNANSWERED = '/unanswered';

/** A site of plain files, made of the built package as a bundler would, and a place where its pages leave notes. */
export class Site {
  readonly notes: Note[] = [];
  readonly #server: Server;
  readonly #told = new Set<() => void>();

  /** `entries`: its scripts, by name; each page loads the one called `page`. */
  static async serve(entries: Readonly<Record<string, string>> = ENTRIES): Promise<Site> {
    const { outputFiles } = await build({
      entryPoints: Object.fromEntries(Object.entries(entries).map(([name, path]) => [name, resolve(path)])),
      bundle: true,
      format: 'esm',
      target: 'es2023',
      outdir: 'site',
      write: false,
    });
    const files = new Map(outputFiles.map(({ path, text }) => [`/${basename(path)}`, text]));
    return new Promise((done) => {
      const site = new Site(
        createServer((request, response) => {
          if (request.url === UNANSWERED) return;
          const script = files.get(request.url ?? '');
          if (request.method === 'POST') {
            let body = '';
            request.setEncoding('utf8').on('data', (text: string) => {
              body += text;
            });
            request.on('end', () => {
              site.#take(JSON.parse(body) as Note);
              response.end();
            });
            return;
          }
          response.setHeader('content-type', script === undefined ? 'text/html' : 'text/javascript');
          response.end(script ?? '<!doctype html><title>tab</title><script type="module" src="/page.js"></script>');
        }).listen(0, '127.0.0.1', () => done(site)),
      );
    });
  }

  private constructor(server: Server) {
    this.#server = server;
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** Whoever asks for this waits until the site is closed. */
  get unanswered(): string {
    return new URL(UNANSWERED, this.address).href;
  }

  /** The same pages as another site. */
  get elsewhere(): string {
    return this.address.replace('127.0.0.1', 'localhost');
  }

  /** Waits for a note that fits. */
  async noted(fits: (note: Note) => boolean): Promise<Note> {
    for (;;) {
      const found = this.notes.find(fits);
      if (found) return found;
      await this.nextNote();
    }
  }

  /** Waits for one more note, whatever it says. */
  nextNote(): Promise<void> {
    return new Promise((resolve) => this.#told.add(resolve));
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #take(note: Note): void {
    this.notes.push(note);
    for (const tell of this.#told) tell();
    this.#told.clear();
  }
}
