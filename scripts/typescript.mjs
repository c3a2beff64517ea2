// `node --import ./scripts/typescript.mjs file.ts` runs TypeScript on every Node this package supports, after a build.
import { register } from 'node:module';

if (!process.features.typescript) register('../dist/cli/typescript-hooks.js', import.meta.url);
