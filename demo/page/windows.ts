/** The other windows of this page: how many there are, and how to close one. */
export interface Windows {
  readonly others: readonly string[];
  closeAnother(): void;
}

type Word =
  | { readonly type: 'here' | 'who' | 'gone'; readonly from: string }
  | { readonly type: 'close'; readonly to: string };

/** `self` is this window's name; `changed` is called when another comes or goes. */
export function listenToWindows(self: string, changed: () => void): Windows {
  const channel = new BroadcastChannel('fuseline-demo-windows');
  const others = new Set<string>();
  const say = (word: Word): void => channel.postMessage(word);

  channel.addEventListener('message', ({ data: word }: MessageEvent<Word>) => {
    if (word.type === 'close') {
      if (word.to === self) close();
      return;
    }
    if (word.type === 'gone') others.delete(word.from);
    else others.add(word.from);
    if (word.type === 'who') say({ type: 'here', from: self });
    changed();
  });
  // A window that dies without a word is found out when its workers are; the list here is a convenience.
  addEventListener('pagehide', () => say({ type: 'gone', from: self }));
  addEventListener('pageshow', () => say({ type: 'who', from: self }));

  return {
    get others() {
      return [...others];
    },
    closeAnother() {
      const [to] = others;
      if (to === undefined) return;
      others.delete(to);
      say({ type: 'close', to });
      changed();
    },
  };
}
