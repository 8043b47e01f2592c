/** Where the page finds its services: `settings.json` beside it. `npm start` makes one; a deployment writes its own. */
export interface Settings {
  /** As the deployment prints it, without a slash at the end. */
  apiUrl: string;
  /** The `iss` of the tokens. */
  issuer: string;
  /** A public client of the issuer, with this page as redirect URI. */
  clientId: string;
  /** What to ask the issuer for. */
  scope: string;
  /** Whether Chime is emulated, so that there are no media to join; `npm start` says so. */
  local: boolean;
  /** Whether the local server has a report for each meeting. */
  reports?: boolean;
}

export async function loadSettings(): Promise<Settings> {
  const response = await fetch('settings.json');
  if (!response.ok) throw new Error(`settings.json was answered with ${response.status}.`);
  return response.json();
}
