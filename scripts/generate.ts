import { writeFileSync } from 'node:fs';
import { renderPage } from './settings/page.ts';
import { renderProps } from './settings/props.ts';

// Generates from lib/settings/schema.ts: the public types of the settings, and their page.
writeFileSync(new URL('../lib/settings/props.ts', import.meta.url), renderProps());
writeFileSync(new URL('../docs/configuration.md', import.meta.url), renderPage());
