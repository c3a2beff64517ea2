import { env } from 'cloudflare:workers';
import { workflow } from 'fuseline';
import { bearer, durableWorkflows } from 'fuseline/durable-object';
import { signalLink } from 'fuseline/http';
import { z } from 'zod';

const expense = z.object({ what: z.string(), approver: z.email() });

const approval = workflow('approval', { input: expense }, ($) => {
  const asked = $.step('ask', { expense: $.input }, async ({ expense }, { runId, key }) => {
    const link = (action: string, payload: boolean) =>
      signalLink('https://runs.example', {
        run: runId,
        signal: 'approved',
        payload,
        action: `${action} ${expense.what}`,
        once: key,
        expires: '7d',
        secret: env.LINK_SECRET,
      });
    const text = `${await link('Approve', true)}\n${await link('Reject', false)}`;
    const mail = JSON.stringify({ to: expense.approver, subject: expense.what, text });
    const sent = await fetch('https://mail.example', {
      method: 'POST',
      headers: { 'idempotency-key': key },
      body: mail,
    });
    if (!sent.ok) throw new Error(`the mail was refused with ${sent.status}`);
  });
  return $.waitFor('approved', z.boolean(), { after: [asked], timeout: '7d' });
});

const edge = durableWorkflows({
  workflows: [approval],
  binding: 'RUNS',
  auth: bearer({ client: 'CLIENT_TOKEN' }),
  links: { secret: 'LINK_SECRET' },
});

export class Runs extends edge.Runs {}
export default edge.app;
