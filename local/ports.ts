/** What listens on which port, so that addresses in notes and scripts stay good. */
export interface Ports {
  api: number;
  page: number;
  issuer: number;
  chime: number;
  dynamodb: number;
  s3: number;
}

/** The API's port; the others follow it. */
export const DEFAULT_PORT = 8180;

/** @param first the API's port, which the others follow; 0 for free ports everywhere */
export function portsFrom(first: number): Ports {
  const port = (offset: number) => (first === 0 ? 0 : first + offset);
  return { api: port(0), page: port(1), issuer: port(2), chime: port(3), dynamodb: port(4), s3: port(5) };
}
