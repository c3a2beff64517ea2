import { typed, workflow } from 'fuseline';
import { z } from 'zod'; // or valibot, arktype: any Standard Schema

const approval = z.object({ by: z.string() });

export const expense = workflow('expense', { input: typed<{ readonly amount: number }>() }, ($) => {
  const asked = $.step('ask', { expense: $.input }, ({ expense }, { runId }) => mail(`${expense.amount}? ${runId}`));
  const approved = $.waitFor('approved', approval, {
    after: asked,
    timeout: '14d',
    fallback: () => ({ by: 'nobody' }), // without it, the step fails with SIGNAL_TIMEOUT
  });
  return $.step('pay', { expense: $.input, approved: approved.when(({ by }) => by !== 'nobody') }, (given, { key }) =>
    pay(given.expense.amount, given.approved.by, key),
  );
});

async function mail(text: string): Promise<void> {
  await fetch('https://mail.example', { method: 'POST', body: text });
}

async function pay(amount: number, approvedBy: string, key: string): Promise<string> {
  await fetch('https://pay.example', { method: 'POST', body: String(amount), headers: { 'idempotency-key': key } });
  return `${amount} paid, approved by ${approvedBy}`;
}
