/** A text as a URL, or null: `URL.parse`, which Node 20 does not have in all its versions. */
export function parseUrl(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null;
}
