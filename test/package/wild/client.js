import { patient, storage } from './app.js';

document.querySelector('output').textContent = String(await patient.run(21, { storage }));
