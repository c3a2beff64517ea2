// A trip is booked when its flight, hotel and car are: each a run of its own, with its own retries and history, side by
// side. If one cannot be had, those that are not done yet are cancelled.
//
//   npx fuseline run trip.ts --input '{"to":"Lisbon","nights":3}' --id lisbon
//   npx fuseline ls                                          # the trip, and its three bookings
//   npx fuseline show lisbon
import { type Context, NonRetryableError, typed, workflow } from 'fuseline';

interface Trip {
  readonly to: string;
  readonly nights: number;
}

interface Wish extends Trip {
  readonly what: string;
}

const booking = workflow('booking', { input: typed<Wish>() }, ($) => {
  const held = $.step('hold', { wish: $.input }, ({ wish }, context) => hold(wish, context), { retry: 5 });
  return $.step('pay', { held }, ({ held }, context) => pay(held, context), { retry: 5 });
});

export const trip = workflow('trip', { input: typed<Trip>(), failFast: true }, ($) => {
  const book = (what: string) => {
    const wish = $.step(`wanted ${what}`, { trip: $.input }, ({ trip }) => ({ what, ...trip }));
    return $.run(what, booking, wish, { timeout: '2d' });
  };
  const [flight, hotel, car] = [book('flight'), book('hotel'), book('car')];
  return $.step('summary', { flight, hotel, car }, ({ flight, hotel, car }) => ({
    booked: [flight, hotel, car].map(({ what }) => what),
    paid: flight.paid + hotel.paid + car.paid,
  }));
});

/** Those who rent rooms and seats are called here. With the same key they hold one thing, however often they are asked. */
async function hold({ what, to, nights }: Wish, { key, log }: Context) {
  log(`holding a ${what} in ${to}`, { key });
  if (what === 'car' && to === 'Venice') throw new NonRetryableError('there are no cars in Venice');
  return { what, price: what === 'flight' ? 120 : 60 * nights };
}

async function pay({ what, price }: { readonly what: string; readonly price: number }, { key, log }: Context) {
  log(`paying ${price} for the ${what}`, { key });
  return { what, paid: price };
}
