/** By the last ending of a file's name. */
// biome-ignore format: a table
const ENDINGS: Readonly<Record<string, string>> = {
  ts: 'TypeScript', mts: 'TypeScript', cts: 'TypeScript', tsx: 'TypeScript',
  js: 'JavaScript', mjs: 'JavaScript', cjs: 'JavaScript', jsx: 'JavaScript',
  json: 'JSON', jsonc: 'JSON', json5: 'JSON', jsonl: 'JSON Lines', ndjson: 'JSON Lines',
  md: 'Markdown', mdx: 'Markdown', rst: 'reStructuredText', txt: 'Text', tex: 'TeX',
  html: 'HTML', htm: 'HTML', css: 'CSS', scss: 'Sass', sass: 'Sass', less: 'Less', vue: 'Vue', svelte: 'Svelte', svg: 'SVG',
  yml: 'YAML', yaml: 'YAML', toml: 'TOML', ini: 'INI', xml: 'XML', csv: 'CSV', tsv: 'TSV', sql: 'SQL', graphql: 'GraphQL', proto: 'Protocol Buffers',
  sh: 'Shell', bash: 'Shell', zsh: 'Shell', fish: 'Shell', ps1: 'PowerShell', bat: 'Batch',
  py: 'Python', pyi: 'Python', ipynb: 'Notebook', rb: 'Ruby', php: 'PHP', pl: 'Perl', lua: 'Lua', r: 'R', jl: 'Julia',
  c: 'C', h: 'C', cc: 'C++', cpp: 'C++', cxx: 'C++', hpp: 'C++', hh: 'C++', cs: 'C#', m: 'Objective-C', swift: 'Swift',
  go: 'Go', rs: 'Rust', zig: 'Zig', java: 'Java', kt: 'Kotlin', kts: 'Kotlin', scala: 'Scala', groovy: 'Groovy', gradle: 'Groovy', dart: 'Dart',
  hs: 'Haskell', ml: 'OCaml', ex: 'Elixir', exs: 'Elixir', erl: 'Erlang', clj: 'Clojure', elm: 'Elm', fs: 'F#', nim: 'Nim',
  tf: 'Terraform', nix: 'Nix', cmake: 'CMake', wgsl: 'WGSL', grit: 'GritQL',
};

// biome-ignore format: a table
const NAMES: Readonly<Record<string, string>> = {
  dockerfile: 'Dockerfile', makefile: 'Makefile', license: 'Text', readme: 'Text', 'cmakelists.txt': 'CMake', gemfile: 'Ruby', rakefile: 'Ruby',
};

/** What a file is written in, as its name says; `undefined` when the name says nothing. */
export function languageOf(path: string): string | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
  const ending = name.slice(name.lastIndexOf('.') + 1);
  return own(NAMES, name) ?? (ending === name ? undefined : own(ENDINGS, ending));
}

function own(table: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
