import { typed, workflow } from 'fuseline';

/** What every service that is tested by the cases serves, all but the queue `gpu`. */
export const sum = workflow('sum', { input: typed<{ readonly a: number; readonly b: number }>() }, ($) => {
  const a = $.step('a', { input: $.input }, ({ input }) => input.a);
  const b = $.step('b', { input: $.input }, ({ input }) => input.b);
  return $.step('sum', { a, b }, ({ a, b }) => a + b);
});

export const faulty = workflow('faulty', ($) =>
  $.step('broken', {}, () => Promise.reject(new Error('it is broken')), { retry: 1 }),
);

export const elsewhere = workflow('elsewhere', ($) => {
  const here = $.step('here', {}, () => 'here');
  return $.step('there', { here }, () => 'there', { queue: 'gpu' });
});
