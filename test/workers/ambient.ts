import type { CorpusCase } from 'fuseline/testing';
import type { Approvals, Bare, Each, Runs } from './worker.ts';

declare module 'vitest' {
  interface ProvidedContext {
    corpus: readonly CorpusCase[];
  }
}

declare global {
  namespace Cloudflare {
    interface GlobalProps {
      mainModule: typeof import('./worker.ts');
    }
    interface Env {
      readonly APPROVALS: DurableObjectNamespace<Approvals>;
      readonly BARE: DurableObjectNamespace<Bare>;
      readonly EACH: DurableObjectNamespace<Each>;
      readonly LINK_SECRET: string;
      readonly RUNS: DurableObjectNamespace<Runs>;
    }
  }
}
