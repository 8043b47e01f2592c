/** A text as a URL, or null: `URL.parse`, which not all versions of Node 20 have. */
export function parseUrl(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null;
}
