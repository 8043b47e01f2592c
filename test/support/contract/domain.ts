import { createServer, request as httpRequest, type Server } from 'node:http';

/** A server that does what a custom domain's base path mapping does: its root is the stage. */
export function createDomain(apiUrl: () => string): Server {
  return createServer((request, response) => {
    const { hostname, port, pathname } = new URL(apiUrl());
    const { method, headers } = request;
    const forwarded = httpRequest(
      { hostname, port, path: pathname + request.url, method, headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 0, answer.headers);
        answer.pipe(response);
      },
    );
    request.pipe(forwarded);
  });
}
