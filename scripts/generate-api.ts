import { writeFileSync } from 'node:fs';
import { renderApi } from './render-api.ts';

writeFileSync(new URL('../API.md', import.meta.url), renderApi());
