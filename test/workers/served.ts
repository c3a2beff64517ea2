import { typed, workflow } from 'fuseline';
import { bearer, durableWorkflows } from 'fuseline/durable-object';
import { ui } from 'fuseline/ui';

/** A Worker as it is deployed, for tests that kill the process it is in. Its steps tell a witness outside of it. */
const witnessed = workflow('witnessed', { input: typed<{ readonly witness: string }>() }, ($) => {
  const tell = async ({ input }: { readonly input: { readonly witness: string } }, { runId, step, attempt }: Told) => {
    const url = `${input.witness}?${new URLSearchParams({ run: runId, step, attempt: String(attempt) })}`;
    return (await fetch(url)).text();
  };
  const first = $.step('first', { input: $.input }, tell);
  const left = $.step('left', { input: $.input }, tell, { after: [first] });
  const right = $.step('right', { input: $.input }, tell, { after: [first] });
  return $.step('last', { input: $.input }, tell, { after: [left, right] });
});

interface Told {
  readonly runId: string;
  readonly step: string;
  readonly attempt: number;
}

const edge = durableWorkflows({
  workflows: [witnessed],
  binding: 'RUNS',
  shards: 2,
  auth: bearer({ client: 'CLIENT_TOKEN' }),
});

export class Runs extends edge.Runs {}

edge.app.route('/ui', ui());

export default edge.app;
