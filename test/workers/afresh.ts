// The files share one workerd: no file finds what another one has stored.
import { reset } from 'cloudflare:test';
import { beforeAll } from 'vitest';

beforeAll(reset);
