import { type Context, typed, workflow } from 'fuseline';

const STEP_MS = 1000;

/** An order as a shop has it. The world outside is pretended, so that it can be tried without an account anywhere. */
export const checkout = workflow('checkout', { input: typed<{ readonly orderId: number }>() }, ($) => {
  const paid = $.step(
    'charge',
    { order: $.input },
    ({ order }, context) => pretended({ order: order.orderId, paid: true }, context),
    { retry: 5 },
  );
  const label = $.step('label', { paid }, ({ paid }, context) => pretended(`label ${paid.order}`, context));
  const booked = $.step('book', { paid }, ({ paid }, context) => pretended(`entry ${paid.order}`, context));
  return $.step(
    'confirm',
    { paid, label, booked },
    ({ paid, label }) => `order ${paid.order} is paid, and sent with ${label}`,
  );
});

/** What a call to another service would come to, after a while. */
function pretended<T>(answer: T, { signal }: Pick<Context, 'signal'>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, STEP_MS, answer);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
