import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import swaggerUi from 'swagger-ui-dist';

const OPENAPI = fileURLToPath(new URL('../../openapi.json', import.meta.url));

const INDEX = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Usher: the contract</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<link rel="stylesheet" href="swagger-ui.css"></head><body><div id="ui"></div>
<script src="swagger-ui-bundle.js"></script><script src="start.js"></script></body></html>`;

// The contract has the deployed address, so requests cannot be tried out from here.
const START = `SwaggerUIBundle({ url: 'openapi.json', dom_id: '#ui', supportedSubmitMethods: [], validatorUrl: null });`;

/** @returns a file of the page that shows openapi.json; undefined if it has no such file */
export async function contractFile(
  name: string,
): Promise<{ type: string; body: string | Buffer } | undefined> {
  if (name === '') return { type: 'text/html', body: INDEX };
  if (name === 'start.js') return { type: 'text/javascript', body: START };
  if (name === 'openapi.json') return { type: 'application/json', body: await readFile(OPENAPI) };
  const type = { 'swagger-ui.css': 'text/css', 'swagger-ui-bundle.js': 'text/javascript' }[name];
  if (type === undefined) return undefined;
  return { type, body: await readFile(path.join(swaggerUi.getAbsoluteFSPath(), name)) };
}
