// A welcome an hour after somebody subscribed, three days later tips, a week later an offer; whoever unsubscribes gets no more.
//
//   npx fuseline dispatch drip-campaign.ts --input '{"to":"ann@example.com"}' --id ann
//   npx fuseline work drip-campaign.ts --stay                # stop and start it as you like: the days are counted all the same
//   npx fuseline signal ann unsubscribed '{"reason":"too many mails"}'
import { type Context, type Duration, type Edge, typed, workflow } from 'fuseline';

interface Subscriber {
  readonly to: string;
}

interface Goodbye {
  readonly reason: string;
}

export const drip = workflow('drip-campaign', { input: typed<Subscriber>() }, ($) => {
  const mail = <const E extends Edge>(letter: string, after: E) =>
    $.step(letter, { subscriber: $.input }, ({ subscriber }, context) => send(letter, subscriber, context), {
      after,
      retry: 10,
    });

  /** A pause that a signal cuts short. The road goes on only for who has let it come to its end. */
  const stays = (length: Duration, letter: string, after: Edge) => {
    const goodbye = $.waitFor(`pause before ${letter}`, typed<Goodbye | undefined>(), {
      signal: 'unsubscribed',
      timeout: length,
      fallback: () => undefined,
      after,
    });
    return $.branch(`stays for ${letter}`, { goodbye }, ({ goodbye }) => (goodbye ? 'no' : 'yes')).on('yes');
  };

  const hour = $.sleep('first hour', '1h');
  const welcome = mail('welcome', hour);
  const tips = mail('tips', stays('3d', 'tips', welcome));
  const offer = mail('offer', stays('7d', 'offer', tips));
  return { welcome, tips, offer };
});

/** Your mail service is called here. The key stays the same however often the step is tried, so that it can tell. */
async function send(letter: string, { to }: Subscriber, { key, log }: Context): Promise<string> {
  log(`${letter} for ${to}`, { key });
  return `${letter} sent to ${to}`;
}
