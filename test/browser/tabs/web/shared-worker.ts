import { type Job, work } from './work.ts';

addEventListener('connect', (event) => {
  const [port] = (event as MessageEvent).ports;
  if (port) port.onmessage = ({ data }: MessageEvent<Job>) => void work(data);
});
