import { type Job, work } from './work.ts';

addEventListener('message', ({ data }: MessageEvent<Job>) => void work(data));
