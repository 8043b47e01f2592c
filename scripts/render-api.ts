import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installTool } from './install-tool.ts';

const HEAD = '<!-- Made by `npm run generate:api` from the docstrings of lib/: change those, not this. -->\n';

/** The text of API.md: the packed declarations, which `scripts/build-package.ts` makes, with their docstrings. */
export function renderApi(): string {
  const tool = installTool('api-docs');
  const folder = mkdtempSync(join(tmpdir(), 'usher-api-'));
  try {
    execFileSync(
      process.execPath,
      [
        join(tool, 'node_modules/typedoc/bin/typedoc'),
        '--options',
        join(tool, 'typedoc.json'),
        '--out',
        folder,
      ],
      { cwd: fileURLToPath(new URL('..', import.meta.url)), stdio: ['ignore', 2, 2] },
    );
    // A modifier in a heading would be part of its anchor, which links do not have.
    return HEAD + readFileSync(join(folder, 'API.md'), 'utf8').replaceAll(/^(#+) `abstract` /gm, '$1 ');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
