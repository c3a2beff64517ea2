import { typed, workflow } from 'fuseline';
import { bearer, durableWorkflows } from 'fuseline/durable-object';

/** A Worker before and after a deploy that takes one workflow's second step away, and changes nothing of the other one. */
export function deployed(code: 'before' | 'after') {
  const held = (
    { input }: { readonly input: { readonly witness: string } },
    { attempt }: { readonly attempt: number },
  ) => fetch(`${input.witness}?attempt=${attempt}`).then((answer) => answer.text());
  const changed = workflow('changed', { input: typed<{ readonly witness: string }>() }, ($) => {
    const first = $.step('first', { input: $.input }, held);
    return $.step(code === 'before' ? 'dropped' : 'new', { first }, ({ first }) => `${code}: ${first}`);
  });
  const same = workflow('same', { input: typed<{ readonly witness: string }>() }, ($) => {
    const first = $.step('first', { input: $.input }, held);
    return $.step('second', { first }, ({ first }) => `${code}: ${first}`);
  });
  return durableWorkflows({ workflows: [changed, same], binding: 'RUNS', auth: bearer({ client: 'CLIENT_TOKEN' }) });
}
