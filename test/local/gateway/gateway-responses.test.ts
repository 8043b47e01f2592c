import { describe, expect, it } from '@jest/globals';
import { createErrorShaper } from '../../../local/gateway/gateway-responses.ts';

const CONTEXT = { requestId: 'r-1', stage: 'v1' };

describe('createErrorShaper', () => {
  it('answers like API Gateway without a gateway response', () => {
    const shape = createErrorShaper({});
    expect(shape({ type: 'MISSING_AUTHENTICATION_TOKEN', message: 'Missing' }, CONTEXT)).toEqual({
      statusCode: 403,
      headers: {
        'Content-Type': 'application/json',
        'x-amzn-ErrorType': 'MissingAuthenticationTokenException',
      },
      body: '{"message":"Missing"}',
    });
    expect(shape({ type: 'DEFAULT_5XX', message: 'x' }, CONTEXT).statusCode).toBe(502);
    expect(shape({ type: 'INTEGRATION_TIMEOUT', message: 'x' }, CONTEXT).statusCode).toBe(504);
    expect(shape({ type: 'THROTTLED', message: 'x' }, CONTEXT).statusCode).toBe(429);
  });

  it('uses the response of the type: status, headers, template', () => {
    const shape = createErrorShaper({
      THROTTLED: {
        statusCode: '430',
        responseParameters: {
          'gatewayresponse.header.x-amzn-ErrorType': "'Mine'",
          'gatewayresponse.header.X-Stage': 'context.stage',
        },
        responseTemplates: {
          'application/json':
            '{"m":$context.error.messageString,"t":"$context.error.responseType","id":"$context.requestId","p":"$context.error.message","n":"$context.nothing"}',
        },
      },
    });
    const answer = shape({ type: 'THROTTLED', message: 'say "hi"' }, CONTEXT);
    expect(answer.statusCode).toBe(430);
    expect(answer.headers).toEqual({
      'Content-Type': 'application/json',
      'x-amzn-ErrorType': 'Mine',
      'X-Stage': 'v1',
    });
    expect(answer.body).toBe(
      '{"m":"say "hi"","t":"THROTTLED","id":"r-1","p":"say "hi"","n":""}'.replace(
        '"say "hi"","t"',
        '"say \\"hi\\"","t"',
      ),
    );
  });

  it('falls back to the default of the class, whose status then counts', () => {
    const shape = createErrorShaper({
      DEFAULT_4XX: { statusCode: '400' },
      DEFAULT_5XX: { responseTemplates: { 'application/json': '5' } },
    });
    expect(shape({ type: 'THROTTLED', message: 'x' }, CONTEXT).statusCode).toBe(400);
    expect(shape({ type: 'INTEGRATION_TIMEOUT', message: 'x' }, CONTEXT)).toMatchObject({
      statusCode: 504,
      body: '5',
    });
  });

  it.each([
    ['gatewayresponse.header.X', 'method.request.header.Y'],
    ['gatewayresponse.body.X', "'y'"],
  ])('rejects the parameter %s: %s', (name, value) => {
    expect(() => createErrorShaper({ THROTTLED: { responseParameters: { [name]: value } } })).toThrow(name);
  });
});
