// An agent that looks things up by itself, one recorded round of its loop after the other, and asks a person before it pays.
//
//   npx fuseline dispatch agent.ts --input '{"question":"Where is order 17?"}' --id case-1
//   npx fuseline work agent.ts                               # goes on until it needs a person
//   npx fuseline stream case-1 think                         # what it thought, live while it does
//   npx fuseline signal case-1 decision '{"approved":true,"by":"ann"}' && npx fuseline work agent.ts
import { typed, workflow } from 'fuseline';
import { z } from 'zod'; // or valibot, arktype: any Standard Schema

type Move = { readonly tool: keyof typeof tools; readonly about: string } | { readonly refund: number };
type Talk = { readonly heard: readonly string[]; readonly refund?: number };

const decision = z.object({ approved: z.boolean(), by: z.string() });

export const agent = workflow('agent', { input: typed<{ readonly question: string }>() }, ($) => {
  const begin = $.step('begin', { input: $.input }, ({ input }): Talk => ({ heard: [input.question] }));
  const talk = $.loop(
    'think',
    begin,
    async (talk, { emit }) => {
      const move = await model(talk.heard);
      await emit(move);
      if ('refund' in move) return { ...talk, refund: move.refund };
      return { heard: [...talk.heard, await tools[move.tool](move.about)] };
    },
    { until: ({ refund }) => refund !== undefined, max: 20, retry: 3, timeout: '1m' },
  );
  const answer = $.waitFor('decision', decision, {
    after: talk,
    timeout: '2d',
    fallback: () => ({ approved: false, by: 'nobody within two days' }),
  });
  const verdict = $.branch('verdict', { answer }, ({ answer }) => (answer.approved ? 'pay' : 'leave'));
  const paid = $.step('pay', { talk }, ({ talk }, { key }) => pay(talk.refund ?? 0, key), { after: verdict.on('pay') });
  const left = $.step('leave', { answer }, ({ answer }) => `not paid: declined by ${answer.by}`, {
    after: verdict.on('leave'),
  });
  return $.any(paid, left);
});

const tools = {
  findOrder: async (about: string) => `${about}: lost on its way, 40 were paid`,
  readPolicy: async (about: string) => `${about}: what is lost is refunded`,
};

/** Stands in for a language model: what it does next follows from what it has heard. */
async function model(heard: readonly string[]): Promise<Move> {
  if (heard.length === 1) return { tool: 'findOrder', about: heard[0] ?? '' };
  if (heard.length === 2) return { tool: 'readPolicy', about: 'lost parcels' };
  return { refund: 40 };
}

/** Stands in for a bank that knows a payment again by its key. */
const pay = async (amount: number, key: string) => `paid ${amount}, by key ${key}`;
