import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { MemoryStorage, workflow } from 'fuseline';
import { type SignalLinkOptions, signalLink } from 'fuseline/http';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { runsApp } from '../../../src/http/app.ts';
import { html, linkPage, STYLE } from '../../../src/http/link-page.ts';
import { serviceOf } from '../../../src/http/service-of.ts';

const SECRET = 'a secret of this deployment 0123456789';
const HOSTILE = '<script>alert(1)</script>"&\'';

const approval = workflow('<approval>', ($) => {
  const answer = $.waitFor('answer', z.object({ yes: z.boolean() }), { signal: HOSTILE });
  return $.waitFor('never', z.string(), { after: [answer] });
});

/** A run that waits for an answer, and its links. */
async function asked() {
  const storage = new MemoryStorage();
  const service = serviceOf([approval], storage);
  const { id: run } = await service.dispatch({ workflow: approval.name });
  const app = (secret = SECRET) => {
    const routes = runsApp({
      service: () => service,
      workflows: [approval],
      auth: () => undefined,
      links: { secret: 'LINKS' },
    });
    return (address: string, method = 'GET', accept = '*/*') =>
      routes.request(address, { method, headers: { accept } }, { LINKS: secret });
  };
  const link = (options: Partial<SignalLinkOptions> = {}) => {
    const payload = { yes: true };
    return signalLink('http://localhost/', {
      run,
      signal: HOSTILE,
      payload,
      once: 'one',
      expires: '7d',
      secret: SECRET,
      ...options,
    });
  };
  const sent = async () => (await storage.get(run)).signals.length;
  return { storage, service, run, app, ask: app(), link, sent };
}

const codeOf = async (response: Response) => ((await response.json()) as { error: { code: string } }).error.code;
const UNKNOWN = { error: { code: 'UNKNOWN_LINK', message: 'there is no such link; take all of it, as it was sent' } };

afterEach(() => {
  vi.useRealTimers();
});

test('to look at a link changes nothing, and whatever it is called is text on its page', async () => {
  const { ask, link, run, sent } = await asked();
  const response = await ask(await link({ action: `Approve ${HOSTILE}` }));
  const page = await response.text();
  expect(response.status).toBe(200);
  expect(page).not.toContain('<script');
  for (const shown of [
    'Approve &#60;script&#62;',
    '<bdi>&#60;approval&#62;</bdi>',
    run,
    '{&#34;yes&#34;:true}',
    '<form method="post">',
  ])
    expect(page).toContain(shown);
  expect((await ask(await link(), 'HEAD')).status).toBe(200);
  expect(await sent()).toBe(0);
});

test('the page runs nothing, is shown in no frame, sends its address to nobody, and its style is the one it names', async () => {
  const { headers } = linkPage(html``);
  const hash = createHash('sha256').update(STYLE).digest('base64');
  expect(headers.get('content-security-policy')).toBe(
    `default-src 'none'; style-src 'sha256-${hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  );
  expect(headers.get('referrer-policy')).toBe('no-referrer');
});

test('of all answers to one question the first counts', async () => {
  const { ask, link, sent } = await asked();
  const answers = [await link(), await link({ payload: { yes: false }, expires: '1d', action: 'Reject' })];
  expect((await ask(answers[0] as string, 'POST')).status).toBe(200);
  for (const address of answers)
    for (const method of ['GET', 'POST']) {
      const response = await ask(address, method);
      expect([response.status, await codeOf(response)]).toEqual([410, 'LINK_USED']);
    }
  expect(await sent()).toBe(1);
});

test('of two answers at the same moment one is told that it counts: the one that is recorded', async () => {
  const { service, run, sent } = await asked();
  const answers = [true, false];
  const told = await Promise.all(
    answers.map((yes) => service.signalOnce(run, { id: 'link.some', name: HOSTILE, text: JSON.stringify({ yes }) })),
  );
  expect(told.toSorted()).toEqual(['sent', 'used']);
  const { events } = await service.history(run, { from: 0, limit: 100, waitMs: 0 });
  const payload = JSON.stringify({ yes: answers[told.indexOf('sent')] });
  expect(events).toContainEqual(expect.objectContaining({ type: 'signal', payload }));
  expect(await sent()).toBe(1);
});

test('another question, and another signal, are answered each for itself', async () => {
  const { ask, link, sent } = await asked();
  for (const options of [{}, { once: 'two' }, { signal: 'never', payload: 'soon' }])
    expect((await ask(await link(options), 'POST')).status).toBe(200);
  expect(await sent()).toBe(3);
});

test('what the workflow would refuse is refused, and another answer may still come', async () => {
  const { ask, link, sent } = await asked();
  expect(await codeOf(await ask(await link({ payload: 'yes' }), 'POST'))).toBe('INVALID_SIGNAL');
  expect(await sent()).toBe(0);
  expect((await ask(await link(), 'POST')).status).toBe(200);
});

test('a run that has ended is told nothing', async () => {
  const { ask, link, storage, run, sent } = await asked();
  await storage.cancel(run);
  for (const method of ['GET', 'POST']) expect(await codeOf(await ask(await link(), method))).toBe('RUN_FINISHED');
  expect(await sent()).toBe(0);
});

test('a link is of its run, and not of one that takes the id later', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const { ask, link, storage, run, sent } = await asked();
  const [used, left] = [await link(), await link({ once: 'two' })];
  expect((await ask(used, 'POST')).status).toBe(200);
  await storage.cancel(run);
  await storage.remove(run);
  vi.setSystemTime(Date.now() + 300_001);
  await approval.dispatch(undefined, { storage, id: run });
  for (const address of [used, left])
    for (const method of ['GET', 'POST']) expect(await codeOf(await ask(address, method))).toBe('UNKNOWN_RUN');
  expect(await sent()).toBe(0);
});

test('a link is good until it expires, by the clock of the service', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 });
  const { ask, link, sent } = await asked();
  const links = [await link({ expires: '1h' }), await link({ expires: new Date(1_000_000 + 3_600_000) })];
  vi.setSystemTime(1_000_000 + 3_600_000 - 1);
  for (const address of links) expect((await ask(address)).status).toBe(200);
  vi.setSystemTime(1_000_000 + 3_600_000);
  for (const address of links)
    for (const method of ['GET', 'POST']) {
      const response = await ask(address, method);
      expect([response.status, await codeOf(response)]).toEqual([410, 'LINK_EXPIRED']);
    }
  expect(await sent()).toBe(0);
});

test('links signed with the old secret are good until it is taken away', async () => {
  const { app, link } = await asked();
  const old = await link({ expires: '1h' });
  const changing = `another secret of this deployment 01234, ${SECRET}`;
  expect((await app(changing)(old)).status).toBe(200);
  expect((await app(changing)(await link({ secret: changing }))).status).toBe(200);
  expect((await app(changing.split(', ')[0])(old)).status).toBe(404);
});

test('who asks for pages is refused with one, and what it says is text', async () => {
  const { app, ask, link } = await asked();
  const address = await link({ payload: HOSTILE });
  const response = await ask(address, 'POST', 'text/html,*/*;q=0.8');
  expect(response.status).toBe(400);
  expect(response.headers.get('content-type')).toContain('text/html');
  const page = await response.text();
  expect(page).toContain('INVALID_SIGNAL');
  expect(page).toContain('Nothing was sent');
  const failed = await app('')(address, 'POST', 'text/html');
  expect([failed.status, await failed.text()]).toEqual([503, expect.stringContaining('Try again later')]);
  expect(page).not.toContain('<script');
});

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** As much like it as can be: only the last of its bits is another. */
function neighbour(character: string): string {
  return ALPHABET[ALPHABET.indexOf(character) ^ 1] ?? 'A';
}

describe('a token that was not signed as it is', () => {
  test('is unknown, whatever part of it was changed', async () => {
    const { ask, link, sent } = await asked();
    const address = await link();
    const start = address.lastIndexOf('/') + 1;
    for (let at = start; at < address.length; at++)
      for (const other of [neighbour(address[at] as string), '.', '']) {
        const changed = address.slice(0, at) + other + address.slice(at + 1);
        if (changed === address) continue;
        const response = await ask(changed, 'POST');
        expect([changed, response.status, await response.json()]).toEqual([changed, 404, UNKNOWN]);
      }
    expect(await sent()).toBe(0);
  });

  test('is unknown, whatever its terms were changed to', async () => {
    const { ask, link, sent } = await asked();
    const [, said = '', mac] = /links\/(.*)\.(.*)/.exec(await link()) ?? [];
    const terms = JSON.parse(Buffer.from(said, 'base64url').toString());
    expect(Object.keys(terms).sort()).toEqual(['expires', 'made', 'once', 'run', 'signal', 'text']);
    for (const other of [
      { run: 'other' },
      { signal: 'never' },
      { text: '{"yes":false}' },
      { once: 'two' },
      { expires: terms.expires + 1 },
      { made: terms.made + 1 },
      { action: 'Reject' },
      { namespace: 'acme' },
    ]) {
      const forged = Buffer.from(JSON.stringify({ ...terms, ...other })).toString('base64url');
      const response = await ask(`http://localhost/links/${forged}.${mac}`, 'POST');
      expect([other, response.status, await response.json()]).toEqual([other, 404, UNKNOWN]);
    }
    expect(await sent()).toBe(0);
  });

  test('is unknown, whatever it is', async () => {
    const { ask, sent } = await asked();
    const word = fc.stringMatching(/^[\w-]{0,80}$/);
    const token = fc.oneof(
      fc
        .uint8Array({ minLength: 1, maxLength: 80 })
        .map((bytes) => String.fromCharCode(...bytes))
        // These lead elsewhere.
        .filter((text) => text !== '.' && text !== '..'),
      word.filter((text) => text !== ''),
      fc.tuple(word, fc.stringMatching(/^[\w-]{43}$/)).map((parts) => parts.join('.')),
      fc.constantFrom('%', '%00', '..%2F..', `${'A'.repeat(100_000)}.${'A'.repeat(43)}`),
    );
    const method = fc.constantFrom('GET', 'POST');
    await fc.assert(
      fc.asyncProperty(token, method, async (text, how) => {
        const response = await ask(`http://localhost/links/${encodeURIComponent(text)}`, how);
        expect([response.status, await response.json()]).toEqual([404, UNKNOWN]);
      }),
      { numRuns: 200 },
    );
    expect(await sent()).toBe(0);
  });
});

test.each([
  ['a secret that could be guessed', { secret: 'x'.repeat(31) }],
  ['no question', { once: '' }],
  ['a run that cannot be', { run: 'a/b' }],
  ['a namespace that cannot be', { namespace: 'a/b' }],
  ['a signal without a name', { signal: '' }],
  ['a time that is none', { expires: new Date(Number.NaN) }],
  ['a payload that cannot be recorded', { payload: () => 1 }],
  ['more than mail carries', { payload: 'x'.repeat(2000) }],
])('no link is made with %s', async (_, options) => {
  const { link } = await asked();
  await expect(link(options)).rejects.toThrow();
});
