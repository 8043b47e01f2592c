import { createRemoteJWKSet, jwtVerify } from 'jose';

const [rules] = JSON.parse(process.env['ISSUERS'] ?? '') as [
  { issuer: string; jwksUris: [string]; audience: string[] },
];

const keys = createRemoteJWKSet(new URL(rules.jwksUris[0]));

/** The library as its documentation has it: signature, issuer, audience and times. */
export const verifier = {
  async verify(token: string) {
    const { issuer, audience } = rules;
    return (await jwtVerify(token, keys, { issuer, audience })).payload;
  },
};
