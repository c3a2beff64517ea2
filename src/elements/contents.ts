import type { Attempt } from '../core/attempts.ts';
import type { StepView } from '../core/views.ts';
import type { StepContent } from './contract.ts';
import { html } from './dom.ts';
import type { GraphNode } from './graph-node.ts';
import type { RunSource } from './run-source.ts';

interface Content {
  step: StepView;
  attempt: Attempt | undefined;
  made: Node | undefined;
  readonly holder: HTMLElement;
}

/** A result that is still being read. */
const READING = Symbol('reading');

/**
 * The steps' own output, made by the page and shown in the nodes. It lies in the light DOM, where the page's styles reach
 * it, and gets into the node through a slot; through two where the graph itself stands in a shadow root.
 */
export class StepContents {
  readonly #graph: HTMLElement;
  readonly #read: () => void;
  readonly #shown = new Map<number, Content>();
  readonly #results = new WeakMap<Attempt, unknown>();
  host: HTMLElement;

  /** `read`: hears that a result is there. */
  constructor(graph: HTMLElement, read: () => void) {
    this.#graph = graph;
    this.#read = read;
    this.host = graph;
  }

  show(
    at: number,
    node: GraphNode,
    step: StepView,
    last: Attempt | undefined,
    content: StepContent,
    source: RunSource,
  ): void {
    const attempt = step.status === 'SUCCEEDED' && last?.outcome === 'succeeded' ? last : undefined;
    // What a step that has succeeded shows, it shows with its result.
    if (step.status === 'SUCCEEDED' && !attempt) return;
    const result = attempt && this.#resultOf(step, attempt, source);
    const known = this.#shown.get(at);
    if (result === READING || (known?.step === step && known.attempt === attempt)) return;
    const made = content(step, result);
    const shown = known ?? { step, attempt, made: undefined, holder: this.#hold(node.slot.name) };
    this.#shown.set(at, shown);
    shown.step = step;
    shown.attempt = attempt;
    if (made === shown.made) return;
    shown.made = made;
    shown.holder.replaceChildren(...(made ? [made] : []));
  }

  forget(): void {
    for (const { holder } of this.#shown.values()) holder.remove();
    this.#shown.clear();
    if (this.host !== this.#graph) this.#graph.replaceChildren();
  }

  #hold(slot: string): HTMLElement {
    const holder = html('div', { slot });
    this.host.append(holder);
    if (this.host !== this.#graph) this.#graph.append(html('slot', { name: slot, slot }));
    return holder;
  }

  #resultOf(step: StepView, attempt: Attempt, source: RunSource): unknown {
    if (this.#results.has(attempt)) return this.#results.get(attempt);
    this.#results.set(attempt, READING);
    source.resultOf(step, attempt).then(
      (result) => {
        this.#results.set(attempt, result);
        this.#read();
      },
      // Read again when the step is drawn again.
      () => this.#results.delete(attempt),
    );
    return READING;
  }
}
