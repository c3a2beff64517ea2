import type { CorpusCase } from 'fuseline/testing';
import type { Bare } from './worker.ts';

declare module 'vitest' {
  interface ProvidedContext {
    corpus: readonly CorpusCase[];
  }
}

declare global {
  namespace Cloudflare {
    interface Env {
      readonly BARE: DurableObjectNamespace<Bare>;
    }
  }
}
