import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const nodeStrips = 'typescript' in process.features && Boolean(process.features.typescript);
const ways = nodeStrips
  ? [
      { way: "with Node's own type stripping", flags: [] },
      { way: "with the package's hooks", flags: ['--no-experimental-strip-types'] },
    ]
  : [{ way: "with the package's hooks", flags: [] }];

describe.for(ways)('a TypeScript file runs as it is $way', ({ flags }) => {
  let project: string;

  /** Loads a file of the project with the built CLI's loader; answers what `inspect`, a function body, says of it. */
  async function load(file: string, inspect: string): Promise<unknown> {
    const program = `
      const { loadModule } = await import(${JSON.stringify(resolve('dist/cli/load.js'))});
      const module = await loadModule(${JSON.stringify(file)}).catch((refusal) => ({ refusal }));
      const fuseline = await import(${JSON.stringify(resolve('dist/index.js'))});
      console.log(JSON.stringify((() => { ${inspect} })()));`;
    const args = [...flags, '--input-type=module', '--eval', program];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: project });
    return JSON.parse(stdout);
  }

  beforeAll(async () => {
    project = await mkdtemp(join(tmpdir(), 'fuseline-typescript-'));
    await mkdir(join(project, 'node_modules'));
    await symlink(resolve('.'), join(project, 'node_modules/fuseline'));
    await writeFile(join(project, 'package.json'), '{ "type": "module" }');
    await writeFile(
      join(project, 'rates.ts'),
      'export interface Rate { readonly percent: number }\nexport const rates: readonly Rate[] = [{ percent: 19 }];\n',
    );
  });
  afterAll(() => rm(project, { recursive: true }));

  test('and shares one copy of fuseline with the CLI', async () => {
    await writeFile(join(project, 'same.ts'), `export { FuselineError } from 'fuseline';`);
    expect(await load('same.ts', 'return module.FuselineError === fuseline.FuselineError')).toBe(true);
  });

  test('with type-only imports, top-level await, generics and class members', async () => {
    await writeFile(
      join(project, 'syntax.ts'),
      `import type { Duration } from 'fuseline';
       import { type Rate, rates } from './rates.ts';
       abstract class Price<const T extends number> {
         declare readonly brand: 'price';
         readonly #net: T;
         unset: string | undefined;
         constructor(net: T) { this.#net = net; }
         get net(): T { return this.#net; }
         abstract gross(rate: Rate): number;
       }
       class Gross extends Price<100> { override gross(rate: Rate): number { return this.net + rate.percent; } }
       function first<T>(list: readonly T[]): T;
       function first<T>(list: readonly T[]): T | undefined { return list[0]; }
       const identity = <T,>(value: T): T => value;
       const price = await Promise.resolve<Gross>(new Gross(100));
       export const wait = '30s' satisfies Duration as Duration;
       export const gross = identity(price.gross(first(rates)!));
       export const fields = Object.keys(price as object);`,
    );
    expect(await load('syntax.ts', 'return module')).toEqual({ wait: '30s', gross: 119, fields: ['unset'] });
  });

  test('and its errors name the line in the source', async () => {
    await writeFile(
      join(project, 'thrown.ts'),
      'interface Gone {\n  a: string;\n}\n\nexport const error: Error = new Error();\n',
    );
    expect(await load('thrown.ts', 'return module.error.stack')).toContain('thrown.ts:5:');
  });

  test('and a syntax error names the file', async () => {
    await writeFile(join(project, 'broken.ts'), 'const total: number = = 3;\n');
    expect(await load('broken.ts', 'return module.refusal.stack')).toContain('broken.ts');
  });
});
