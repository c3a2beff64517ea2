import { FuselineError, MemoryStorage, NonRetryableError, ProcessEngine, workflow } from 'fuseline';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { openHouse } from '../../src/ui/page/house.ts';
import { readPlace, writePlace } from '../../src/ui/page/place.ts';
import { all, one, press, see } from './page.ts';

const fine = workflow('fine', ($) => $.step('go', {}, () => 1));
/** Fails of the number in its id. */
const broken = workflow('broken', ($) => {
  const load = $.step('load', {}, (_, { runId }) => {
    if (runId.startsWith('late')) throw new RangeError('too <b>late</b>');
    return 1;
  });
  return $.step('save', { load }, (_, { runId }) => {
    throw new NonRetryableError(`row ${runId.replace(/\D/g, '')} is locked`);
  });
});

beforeEach(() => history.replaceState(null, '', '#'));

async function worked(): Promise<MemoryStorage> {
  const storage = new MemoryStorage();
  for (const id of ['a-1', 'a-2', 'a-3']) await fine.dispatch(undefined, { storage, id });
  for (const id of ['b-1', 'b-2', 'late-1']) await broken.dispatch(undefined, { storage, id });
  await new ProcessEngine([fine, broken], storage).work();
  await fine.dispatch(undefined, { storage, id: 'open-1' });
  return storage;
}

function open(storage: MemoryStorage, refusal?: string): HTMLElement {
  const root = document.createElement('div');
  document.body.append(root);
  const close = openHouse(root, { title: 'here', storage, refusal, leave: undefined });
  onTestFinished(async () => {
    await close();
    root.remove();
  });
  return root;
}

const count = (root: HTMLElement) => one(root, '#count').textContent;

async function choose(root: HTMLElement, label: string, value: string): Promise<void> {
  const select = one(root, `select[aria-label="${label}"]`) as HTMLSelectElement;
  select.value = value;
  select.dispatchEvent(new Event('change'));
}

function type(root: HTMLElement, text: string): void {
  const input = one(root, '#search') as HTMLInputElement;
  input.value = text;
  input.dispatchEvent(new Event('input'));
}

test('runs are found by status, by workflow and by a part of their id, and the address holds that', async () => {
  const root = open(await worked());
  await see(() => expect(count(root)).toBe('7 runs, newest first.'));
  await choose(root, 'Status', 'FAILED');
  await see(() => expect(count(root)).toBe('3 runs, newest first.'));
  type(root, 'B-');
  await see(() => expect(count(root)).toBe('2 runs, newest first.'));
  expect(readPlace(location.hash)).toMatchObject({ status: 'FAILED', search: 'B-' });
  await choose(root, 'Workflow', 'fine');
  await see(() => expect(one(root, '#none').textContent).toContain('No run is like that.'));
  one(root, '#none button').click();
  await see(() => expect(count(root)).toBe('7 runs, newest first.'));
});

test('a run behind the newest ones is found by its id', async () => {
  const storage = new MemoryStorage();
  await fine.dispatch(undefined, { storage, id: 'old-one' });
  for (let i = 0; i < 150; i++) await fine.dispatch(undefined, { storage, id: `new-${i}` });
  const root = open(storage);
  await see(() => expect(count(root)).toBe('The newest 100 runs; older ones come at the end of the list.'));
  type(root, 'D-O');
  await see(() => expect(count(root)).toBe('1 run, newest first.'));
});

test('runs that cannot be read any more stay as they were, and the page says so', async () => {
  const storage = await worked();
  const root = open(storage);
  await see(() => expect(count(root)).toBe('7 runs, newest first.'));
  storage.list = async () => {
    throw new FuselineError('UNAVAILABLE', 'the service is away');
  };
  await fine.dispatch(undefined, { storage, id: 'a-4' });
  await see(() => expect(count(root)).toBe('7 runs, as they were: nothing can be read now.'));
  expect(one(root, '[role=alert]').textContent).toContain('the service is away (UNAVAILABLE)');
});

test('failed runs are grouped by step and error, whatever numbers the error has in it, and can be retried', async () => {
  const storage = await worked();
  const root = open(storage);
  press(document.body, 'f');
  await see(() => expect(all(root, '#failures summary')).toHaveLength(2));
  expect(all(root, '#failures summary').map((summary) => summary.textContent?.replace(/\s+/g, ' ').trim())).toEqual([
    expect.stringMatching(/^2 save of broken NonRetryableError: row 2 is locked last /),
    expect.stringMatching(/^1 load of broken RangeError: too <b>late<\/b> last /),
  ]);
  expect(count(root)).toBe('3 failed runs, by step and error.');
  const retry = all(root, '#failures details > button')[0];
  expect(retry?.textContent?.trim()).toBe('Retry these 2 runs');
  retry?.click();
  await see(() => expect(one(root, '#notice').textContent).toContain('2 runs taken up again.'));
  await see(() => expect(all(root, '#failures summary')).toHaveLength(1));
});

test('who may only look is told why, and finds no command that could be given', async () => {
  const root = open(await worked(), 'a client token only looks here');
  await see(() => expect(one(root, '#run-tools').textContent).toContain('Read only: a client token only looks here.'));
  const commands = all(root, '#run-tools button') as readonly HTMLButtonElement[];
  const enabled = commands.filter(({ disabled }) => !disabled).map(({ dataset }) => dataset.command);
  expect(enabled).toEqual(['export']);
  expect(one(root, '[data-command=cancel]').title).toBe('a client token only looks here');
});

test('a command the service refuses to take is said, and no further one is offered', async () => {
  const storage = await worked();
  storage.cancel = async () => {
    throw new FuselineError('FORBIDDEN', 'this needs a token of the kind admin');
  };
  const root = open(storage);
  const cancel = () => one(root, '[data-command=cancel]') as HTMLButtonElement;
  await see(() => expect(cancel().disabled).toBe(false));
  cancel().click();
  await see(() => expect(one(root, '[role=alert]').textContent).toContain('this needs a token of the kind admin'));
  expect(cancel().disabled).toBe(true);
});

test.each([
  {},
  { run: 'a', step: 'b & c', moment: 3 },
  { status: 'FAILED', workflow: 'é #1', search: 'x', view: 'failures' },
] as const)('the address holds %j', (place) => {
  expect(readPlace(writePlace(place))).toEqual(place);
});
