import { News } from '../news.ts';

const everybodys = new WeakMap<object, News>();

/** What all handles on one object's storage tell each other. Nobody else writes to it. */
export function newsOf(storage: object): News {
  const news = everybodys.get(storage) ?? new News();
  everybodys.set(storage, news);
  return news;
}
