/** Where the page finds its services: `settings.json` beside it. `npm start` makes one; a deployment writes its own. */
export interface Settings {
  /** As the deployment prints it, without a slash at the end. */
  apiUrl: string;
  /** The `iss` of the tokens. */
  issuer: string;
  /** A public client of the issuer, with this page as redirect URI. */
  clientId: string;
  /** The scopes to request from the issuer. */
  scope: string;
  /** Whether Chime is emulated, without media to join; `npm start` sets it. */
  local: boolean;
  /** Whether the local server has a report for each meeting. */
  reports?: boolean;
}

export async function loadSettings(): Promise<Settings> {
  const response = await fetch('settings.json');
  if (!response.ok) throw new Error(`settings.json was answered with ${response.status}.`);
  return response.json();
}
