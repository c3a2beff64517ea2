// `node --import fuseline/typescript file.ts`: a TypeScript file runs as it is on every Node the package runs on.
import { registerTypeScript } from './load.ts';

registerTypeScript();
