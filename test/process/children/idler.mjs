// Says what others need to judge it, then lives until a signal ends it.
import { processLiveness } from 'fuseline/node';

setInterval(() => undefined, 1000);
process.stdout.write(`${processLiveness().evidence}\n`);
