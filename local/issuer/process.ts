import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { OAuth2Server } from 'oauth2-mock-server';
import { LOOPBACK, listen } from '../http-server.ts';
import type { IssuerAddresses } from './issuer.ts';

interface TokenParts {
  header: Record<string, unknown>;
  payload: Record<string, unknown>;
}

// A process whose parent is gone is of no use; Ctrl-C reaches it too, and is the parent's to answer.
process.on('disconnect', () => process.exit());
process.on('SIGINT', () => {});

const server = new OAuth2Server();
await server.issuer.keys.generate('RS256');
await server.start(0, LOOPBACK);
// What the library makes of its address says `localhost`, which may be another address family.
const issuer = `http://${LOOPBACK}:${server.address().port}`;
server.issuer.url = issuer;

const signer = createServer(async (request, response) => {
  try {
    const parts = (await json(request)) as TokenParts;
    response.end(await sign(parts));
  } catch (error) {
    response.statusCode = 400;
    response.end(String(error));
  }
});
const signerPort = await listen(signer, 0);

const addresses: IssuerAddresses = {
  issuer,
  jwksUri: `${issuer}/jwks`,
  signUrl: `http://${LOOPBACK}:${signerPort}/`,
};
process.send?.(addresses);

/** Signs exactly these claims: the library's own defaults are taken out first. The key id and the algorithm are its own. */
function sign({ header, payload }: TokenParts): Promise<string> {
  return server.issuer.buildToken({
    scopesOrTransform: (builtHeader, builtPayload) => {
      Object.assign(builtHeader, header);
      for (const claim of Object.keys(builtPayload)) delete builtPayload[claim];
      Object.assign(builtPayload, payload);
    },
  });
}
