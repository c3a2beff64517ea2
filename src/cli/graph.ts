import { Command, Option } from 'commander';
import { EXIT, type Exit } from './exits.ts';
import { mermaidOf } from './mermaid.ts';
import { findWorkflows } from './open.ts';
import { json } from './output.ts';
import { keepStdoutForJson, print } from './streams.ts';

interface GraphOptions {
  readonly format: 'mermaid' | 'json';
  readonly workflow?: string;
}

export function graphCommand(finish: (exit: Exit) => void): Command {
  return new Command('graph')
    .summary('print the graph of the workflows a file exports')
    .description('Prints the graph of the workflows a file exports.')
    .argument('<file>', 'a TypeScript or JavaScript module that exports workflows')
    .addOption(new Option('--format <format>', 'how').choices(['mermaid', 'json']).default('mermaid'))
    .option('--workflow <name>', 'only this workflow')
    .option('--verbose', 'show the stack of an error')
    .addHelpText(
      'after',
      `
mermaid: one flowchart, with a subgraph for each workflow where there are
several. Solid arrows hand a value over, dotted ones are order only, a circle at
the end waits for a step to be settled; labels are roads of branch steps.
Rhombs choose a road, hexagons sleep, flags wait for a signal, boxes with double
sides are loops.
json: one graph per line, as defineGraph takes it, with its hash.`,
    )
    .action(async (file: string, options: GraphOptions) => finish(await graph(file, options)));
}

async function graph(file: string, { format, workflow }: GraphOptions): Promise<Exit> {
  // What the module prints while it is loaded is no part of the answer.
  keepStdoutForJson();
  const compiled = (await findWorkflows([file], workflow)).map((one) => one.compiled);
  if (format === 'json') for (const { graph, hash } of compiled) print(json({ ...graph, hash }));
  else print(mermaidOf(compiled.map(({ graph }) => graph)));
  return EXIT.ok;
}
