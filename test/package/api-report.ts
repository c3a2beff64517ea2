// What the package promises, as text: each exported name with its signature, one file per entry under docs/api.
import { resolve } from 'node:path';
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor';
import manifest from '../../package.json' with { type: 'json' };

export interface Entry {
  /** As users import it. */
  readonly name: string;
  readonly declarations: string;
  readonly report: string;
}

export interface ApiReport {
  readonly changed: boolean;
  /** The types that the entry's signatures name and that it does not export. */
  readonly unexported: readonly string[];
}

const root = resolve(import.meta.dirname, '../..');
export const reports = resolve(root, 'docs/api');

export const entries: readonly Entry[] = Object.entries(manifest.exports).flatMap(([path, target]) =>
  typeof target === 'string'
    ? []
    : {
        name: path.replace('.', manifest.name),
        declarations: target.types,
        report: `${path === '.' ? manifest.name : path.slice(2)}.api.md`,
      },
);

/** What an entry may name beyond the language: the declarations of its platform. */
const platforms: Readonly<Record<string, { readonly lib?: readonly string[]; readonly types?: readonly string[] }>> = {
  'fuseline/elements': { lib: ['DOM', 'DOM.Iterable'] },
  'fuseline/http': { lib: ['DOM'] },
  'fuseline/durable-object': { types: ['@cloudflare/workers-types'] },
};

/** Compares the entry's report with the committed one (`verify`), or replaces that (`write`). */
export function report(mode: 'verify' | 'write', entry: Entry, packageFolder: string, scratch: string): ApiReport {
  const known = platforms[entry.name] ?? {};
  const config = ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: resolve(packageFolder, 'package.json'),
    configObject: {
      projectFolder: packageFolder,
      mainEntryPointFilePath: resolve(packageFolder, entry.declarations),
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            target: 'ES2023',
            lib: ['ES2023', ...(known.lib ?? [])],
            module: 'NodeNext',
            moduleResolution: 'NodeNext',
            strict: true,
            skipLibCheck: true,
            types: ['node', ...(known.types ?? [])],
            typeRoots: [resolve(root, 'node_modules/@types'), resolve(root, 'node_modules')],
          },
          files: [resolve(packageFolder, entry.declarations)],
        },
      },
      apiReport: {
        enabled: true,
        reportFileName: entry.report,
        reportFolder: reports,
        reportTempFolder: scratch,
        // The other entries name what the first one declares.
        includeForgottenExports: entry.name === manifest.name,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        extractorMessageReporting: {
          default: { logLevel: ExtractorLogLevel.None },
          'ae-forgotten-export': { logLevel: ExtractorLogLevel.Warning },
        },
      },
    },
  });
  const unexported: string[] = [];
  const result = Extractor.invoke(config, {
    localBuild: mode === 'write',
    messageCallback(message) {
      const [, name] = /^The symbol "(.+?)" needs/.exec(message.text) ?? [];
      if (message.messageId === 'ae-forgotten-export' && name !== undefined) unexported.push(name);
      message.handled = true;
    },
  });
  return { changed: result.apiReportChanged, unexported };
}
