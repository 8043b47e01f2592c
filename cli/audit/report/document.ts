import { hash } from 'node:crypto';
import { type Html, html } from './html.ts';
import { STYLE } from './style.ts';

/** One self-contained page: no script, nothing from elsewhere. */
export function documentOf(title: string, sections: readonly (Html | undefined)[]): string {
  const styleHash = hash('sha256', STYLE, 'base64');
  const policy = `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'`;
  const { markup } = html`<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="`;
  return `<!doctype html>
<html lang="en">
<head>
${markup}${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>${html`Usher audit: ${title}`.markup}</title>
<style>${STYLE}</style>
</head>
<body>
${sections.map((section) => section?.markup ?? '').join('\n')}
</body>
</html>
`;
}
