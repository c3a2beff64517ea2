interface Waiting<Q, A> {
  readonly question: Q;
  readonly weight: number;
  readonly resolve: (answer: A) => void;
  readonly reject: (error: unknown) => void;
}

export interface Gathering<Q> {
  /** Questions in one request. */
  readonly most: number;
  /** Of all questions of a request, unless it has only one. */
  readonly mostWeight?: number;
  readonly weigh?: (question: Q) => number;
}

/** Makes one request of the questions of one turn. */
export function gathered<Q, A>(
  ask: (questions: readonly Q[]) => Promise<readonly A[]>,
  { most, mostWeight = Number.POSITIVE_INFINITY, weigh = () => 0 }: Gathering<Q>,
): (question: Q) => Promise<A> {
  let waiting: Waiting<Q, A>[] = [];
  let weight = 0;
  const send = (): void => {
    const sent = waiting;
    waiting = [];
    weight = 0;
    if (sent.length === 0) return;
    ask(sent.map(({ question }) => question)).then(
      (answers) => sent.forEach(({ resolve }, i) => resolve(answers[i] as A)),
      (error) => sent.forEach(({ reject }) => reject(error)),
    );
  };
  return (question) =>
    new Promise((resolve, reject) => {
      const own = weigh(question);
      if (waiting.length === most || (waiting.length > 0 && weight + own > mostWeight)) send();
      // A turn of everybody's later: what follows from the same answer comes together.
      if (waiting.length === 0) Promise.resolve().then(() => Promise.resolve().then(send));
      weight += own;
      waiting.push({ question, weight: own, resolve, reject });
    });
}
