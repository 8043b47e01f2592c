import { get } from 'node:http';
import { JwtVerifier } from 'aws-jwt-verify';
import { SimpleJwksCache } from 'aws-jwt-verify/jwk';

const [rules] = JSON.parse(process.env['ISSUERS'] ?? '') as [
  { issuer: string; jwksUri: string; audience: string[] },
];

// The library itself fetches by https only, which an issuer on this machine has not.
const fetcher = {
  fetch: (uri: string) =>
    new Promise<ArrayBuffer>((resolve, reject) => {
      get(uri, async (response) => {
        const body = new Uint8Array(Buffer.concat(await response.toArray()));
        resolve(body.buffer);
      }).on('error', reject);
    }),
};

/** The library as its documentation has it: signature, issuer, audience and times. */
export const verifier = JwtVerifier.create(
  { issuer: rules.issuer, jwksUri: rules.jwksUri, audience: rules.audience },
  { jwksCache: new SimpleJwksCache({ fetcher }) },
);
