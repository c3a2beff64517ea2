// Files share a workerd: none finds what another one has stored.
import { reset } from 'cloudflare:test';
import { beforeAll } from 'vitest';

beforeAll(reset);
