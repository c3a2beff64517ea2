// The workflows of the kept journals. Every build finishes the runs in them with these, so a workflow that a journal
// was written with is never changed: a later journal that wants another one gets another one.
import { type Context, type StandardSchema, typed, workflow } from 'fuseline';

/** What a step that shall be under way when its worker is killed waits for; nothing where journals are finished. */
export type Hold = (context: Context) => Promise<void>;

/** An error that names no file of the machine it was thrown on. */
function fault(message: string): Error {
  const error = new Error(message, { cause: new TypeError('deeper') });
  error.stack = `Error: ${message}\n    at flows.ts`;
  (error.cause as Error).stack = 'TypeError: deeper\n    at flows.ts';
  return error;
}

function fetchFailed(): TypeError {
  const error = new TypeError('fetch failed');
  error.stack = 'TypeError: fetch failed\n    at flows.ts';
  return error;
}

/** What it throws names no file, as the stack of a real refusal would. */
const yes: StandardSchema<unknown, 'yes'> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate(value) {
      if (value !== 'yes') throw Object.assign(fault('must be yes'), { code: 'INVALID_SIGNAL' });
      return { value };
    },
  },
};

export function flows(hold: Hold) {
  const values = workflow('values', { version: '1.0', input: typed<{ readonly n: number }>() }, ($) => {
    const made = $.step('made', { order: $.input }, ({ order }) => ({
      at: new Date(order.n),
      map: new Map([['key', 12345678901234567890n]]),
      set: new Set(['ä', '日本', '🚂']),
      bytes: new Uint8Array([1, 2, 3]),
      nothing: undefined,
    }));
    const large = $.step('large', { order: $.input }, ({ order }) => 'großer Wert '.repeat(500) + order.n);
    return $.step('end', { made, large }, async ({ made, large }, context) => {
      await hold(context);
      return { ...made, length: large.length };
    });
  });
  /** Names that break what treats them as properties, paths or ASCII. */
  const hostile = workflow('__proto__', ($) => {
    const proto = $.step('__proto__', {}, () => 'p');
    const keys = $.step('constructor', { ['__proto__']: proto, toString: proto }, (needs) => Object.keys(needs));
    const path = $.step('../日本/🚂 %2f', { keys }, async ({ keys }, context) => {
      await hold(context);
      return keys.length;
    });
    return { ['__proto__']: path, 'to string': keys };
  });
  const failing = workflow('failing', ($) => {
    const broken = $.step('broken', {}, () => {
      throw fault('as it should');
    });
    const below = $.step('below', { broken }, () => 'never');
    const watcher = $.step('watcher', { end: $.settled(broken) }, ({ end }) => end.status);
    return { below, watcher };
  });
  const failFast = workflow('fail-fast', { failFast: true }, ($) => {
    const broken = $.step('broken', {}, () => {
      throw fault('first');
    });
    return $.step('beside', {}, () => 1, { after: $.step('before', { end: $.settled(broken) }, () => 1) });
  });
  const held = workflow('held', { input: typed<number | undefined>() }, ($) => {
    const first = $.step('first', { n: $.input }, ({ n = 0 }) => n + 1);
    return $.step('held', { first }, async ({ first }, context) => {
      await hold(context);
      return first + 1;
    });
  });
  /** Fails once, and is tried again at a moment that is recorded. */
  const retried = workflow('retried', ($) =>
    $.step(
      'retried',
      {},
      (_, { attempt }) => {
        if (attempt === 1) throw fault('not yet');
        return `attempt ${attempt}`;
      },
      { retry: { attempts: 3, base: '5s', jitter: 'none' } },
    ),
  );
  const anyJoin = workflow('any-join', ($) => {
    const fast = $.step('fast', {}, () => 'fast');
    const slow = $.step('slow', {}, async (_, context) => {
      await hold(context);
      return 'slow';
    });
    const joined = $.step('joined', { winner: $.any(slow, fast) }, async ({ winner }, context) => {
      await hold(context);
      return winner;
    });
    return $.step('end', { joined, slow }, ({ joined, slow }) => [joined, slow]);
  });
  const once = workflow('once', ($) =>
    $.step('once', {}, async (_, context) => {
      const charge = await context.once('charge', () => ({ receipt: context.attempt, pad: 'x'.repeat(5000) }));
      context.heartbeat({ percent: 50 });
      await hold(context);
      return charge.receipt;
    }),
  );
  const roads = workflow('roads', ($) => {
    const route = $.branch('route', {}, (): 'left' | 'right' => 'left');
    const left = $.step('left', {}, () => 'left', { after: route.on('left') });
    const right = $.step('right', {}, () => 'right', { after: route.on('right') });
    const other = $.step('other', {}, () => 'other', { after: route.otherwise });
    const refused = $.step('refused', { left: left.when((road) => road !== 'left') }, () => 'refused');
    const end = $.step('end', { way: $.any(left, right, other), refused }, async ({ way, refused }, context) => {
      await hold(context);
      return [way, refused];
    });
    return end;
  });
  const fallback = workflow('fallback', ($) =>
    $.step(
      'fragile',
      {},
      (): string => {
        throw fault('fragile');
      },
      {
        fallback: async (error, context) => {
          await hold(context);
          return `instead of ${error.message}`;
        },
      },
    ),
  );
  const urgent = workflow('urgent', { deadline: '40000d' }, ($) =>
    $.step(
      'urgent',
      {},
      async (_, context) => {
        await hold(context);
        return 'in time';
      },
      { queue: 'fast lane', priority: 7, timeout: '1h' },
    ),
  );
  /** Its deadline has passed whenever a journal is read. */
  const late = workflow('late', { deadline: '4s' }, ($) =>
    $.step('late', {}, async (_, context) => {
      await hold(context);
      return 'late';
    }),
  );
  /** Waits for the network: protocol 2. */
  const upload = workflow('upload', ($) =>
    $.step(
      'upload',
      {},
      (_, { attempt }) => {
        if (attempt === 1) throw fetchFailed();
        return `attempt ${attempt}`;
      },
      { requires: 'network' },
    ),
  );
  /** Sleeps, waits for signals, and loops: protocol 3. */
  const patient = workflow('patient', ($) => {
    const slept = $.sleep('slept', '1s');
    const woken = $.sleepUntil('woken', {}, () => new Date('2020-01-01'), { after: slept });
    const early = $.waitFor('early', typed<string>(), { signal: 'news 日本' });
    const answer = $.waitFor('answer', yes, { timeout: '40000d', after: woken });
    const rounds = $.loop('rounds', early, (text) => `${text}!`, {
      until: (text) => text.endsWith('!!!'),
      every: '1s',
    });
    return $.step('told', { rounds, answer }, async ({ rounds, answer }, { emit }) => {
      await emit(rounds);
      return [rounds, answer];
    });
  });
  /** Says what it does while it does it, and is lost: protocol 3. */
  const talking = workflow('talking', ($) =>
    $.step('talking', {}, async (_, context) => {
      void context.emit(`attempt ${context.attempt}`);
      await context.emit('x'.repeat(5000));
      await hold(context);
      return 'said';
    }),
  );
  /** Runs a step for each item of a list: protocol 4. */
  const listed = workflow('listed', ($) => {
    const list = $.step('list', {}, () => [1, 2, 3]);
    const doubled = $.each(
      'doubled',
      list,
      async (n, context) => {
        if (n === 2) await hold(context);
        return n * 2;
      },
      { limit: 2 },
    );
    const judged = $.each(
      'judged',
      list,
      (n) => {
        if (n === 3) throw fault('three');
        return n;
      },
      { settle: true },
    );
    return $.step('end', { doubled, judged }, ({ doubled, judged }) => [
      ...doubled,
      ...judged.map(({ status }) => status),
    ]);
  });
  /** An item of it always fails. */
  const frail = workflow('frail', ($) => {
    const list = $.step('list', {}, () => ['a', 'b']);
    return $.each('each', list, (item) => {
      if (item === 'b') throw fault('b');
      return item;
    });
  });
  /** Made for steps of `family`: protocol 5. */
  const kin = workflow('kin', { input: typed<number>(), labels: { of: 'kin' } }, ($) =>
    $.step('kin', { n: $.input }, async ({ n }, context) => {
      if (n === 2) await hold(context);
      return n * 10;
    }),
  );
  /** Has another workflow run, once to its end: protocol 5. */
  const family = workflow('family', ($) => {
    const one = $.step('one', {}, () => 1);
    const two = $.step('two', {}, () => 2);
    const ended = $.run('ended', kin, one);
    const going = $.run('going', kin, two, { timeout: '40000d' });
    return $.step('sum', { ended, going }, ({ ended, going }) => ended + going);
  });
  return {
    kin,
    family,
    listed,
    frail,
    talking,
    patient,
    upload,
    values,
    hostile,
    failing,
    failFast,
    held,
    retried,
    anyJoin,
    once,
    roads,
    fallback,
    urgent,
    late,
  } as const;
}
