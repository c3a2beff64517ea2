import { type Context, type StandardSchema, workflow } from 'fuseline';

/** What no object serves: it waits for a tab that works for the edge. */
export const IN_A_TAB = 'tab';
const STEP_MS = 1000;

interface Order {
  readonly orderId: number;
}

/** Written by hand where others take zod or valibot: over HTTP, no compiler has seen what comes. */
const order: StandardSchema<Order> = {
  '~standard': {
    version: 1,
    vendor: 'shop',
    validate: (value) => {
      const { orderId } = (value ?? {}) as Partial<Order>;
      return Number.isSafeInteger(orderId)
        ? { value: { orderId: orderId as number } }
        : { issues: [{ message: 'must be a whole number', path: ['orderId'] }] };
    },
  },
};

/** An order as a shop has it. The world outside is pretended, so that it can be tried without an account anywhere. */
export const checkout = workflow('checkout', { input: order }, ($) => {
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

/** An order that the objects charge for and send, and that is wrapped where somebody has this page open. */
export const gift = workflow('gift', { input: order }, ($) => {
  const paid = $.step(
    'charge',
    { order: $.input },
    ({ order }, context) => pretended({ order: order.orderId, paid: true }, context),
    { retry: 5 },
  );
  const parcel = $.step('wrap', { paid }, ({ paid }, context) => pretended(`parcel ${paid.order}`, context), {
    queue: IN_A_TAB,
  });
  return $.step('send', { paid, parcel }, ({ paid, parcel }, context) =>
    pretended(`order ${paid.order} is paid, and sent as ${parcel}`, context),
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
