// order.ts: run it, kill it anywhere, run it again: it goes on
import { setTimeout as sleep } from 'node:timers/promises';
import { typed, workflow } from 'fuseline';
import { FileStorage } from 'fuseline/node';

export const order = workflow('order', { input: typed<{ id: number; total: number }>() }, ($) => {
  const stock   = $.step('reserve', { order: $.input }, ({ order }) => reserve(order.id));
  const payment = $.step('charge',  { order: $.input, stock }, charge, { retry: 5, timeout: '30s' });
  const label   = $.step('label',   { stock }, printLabel);
  return $.step('mail', { payment, label }, sendMail);      // waits for both; charge and label run side by side
});

const receipt = await order.run({ id: 17, total: 40 }, { storage: new FileStorage('runs'), id: 'order-17' });
console.log(receipt);

function reserve(id: number) { return pretend(`reserving order ${id}`, { shelf: 'B4' }); }
function charge({ order }: { order: { total: number } }) { return pretend(`charging ${order.total}`, { paid: order.total }); }
function printLabel({ stock }: { stock: { shelf: string } }) { return pretend(`printing a label at shelf ${stock.shelf}`, 'label'); }
function sendMail({ payment }: { payment: { paid: number } }) { return pretend('sending mail', { receipt: `paid ${payment.paid}` }); }

async function pretend<T>(what: string, result: T) { console.log(what); await sleep(1000); return result; }
