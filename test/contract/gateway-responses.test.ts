import { createServer } from 'node:http';
import {
  BadRequestException,
  BatchCreateAttendeeCommand,
  ForbiddenException,
  NotFoundException,
  ServiceFailureException,
  ServiceUnavailableException,
  ThrottlingException,
  UnauthorizedException,
} from '@aws-sdk/client-chime-sdk-meetings';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { GatewayResponseDescription } from '../../local/api-template.ts';
import { close, listen } from '../../local/http-server.ts';
import { ABSENT_MEETING, clientOfUsher } from '../support/contract/clients.ts';
import { deployedApi } from '../support/deployed-api.ts';

const shapes = deployedApi().gatewayResponses;

/** What API Gateway would say of itself; a quotation mark in it must not break the body. */
const SAID = 'It said "no"';
const REQUEST_ID = '6f1c2a9b-4d3e-4f70-8a5b-2c1d0e9f8a7b';

/**
 * Every type that API Gateway documents
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html), and what it is
 * in this contract. REQUEST_TOO_LARGE is given a shape too, although the page on important notes says that the one for
 * 413 cannot be changed at present.
 */
const TYPES: [string, { name: string; prototype: Error }, number][] = [
  ['ACCESS_DENIED', ForbiddenException, 403],
  ['API_CONFIGURATION_ERROR', ServiceFailureException, 500],
  ['AUTHORIZER_CONFIGURATION_ERROR', ServiceFailureException, 500],
  ['AUTHORIZER_FAILURE', ServiceFailureException, 500],
  ['BAD_REQUEST_PARAMETERS', BadRequestException, 400],
  ['BAD_REQUEST_BODY', BadRequestException, 400],
  ['DEFAULT_4XX', BadRequestException, 400],
  ['DEFAULT_5XX', ServiceFailureException, 500],
  ['EXPIRED_TOKEN', UnauthorizedException, 401],
  ['INTEGRATION_FAILURE', ServiceFailureException, 500],
  ['INTEGRATION_TIMEOUT', ServiceUnavailableException, 503],
  ['INVALID_API_KEY', BadRequestException, 400],
  ['INVALID_SIGNATURE', UnauthorizedException, 401],
  ['MISSING_AUTHENTICATION_TOKEN', NotFoundException, 404],
  ['QUOTA_EXCEEDED', ThrottlingException, 429],
  ['REQUEST_TOO_LARGE', BadRequestException, 400],
  ['RESOURCE_NOT_FOUND', NotFoundException, 404],
  ['THROTTLED', ThrottlingException, 429],
  ['UNAUTHORIZED', UnauthorizedException, 401],
  ['UNSUPPORTED_MEDIA_TYPE', BadRequestException, 400],
  ['WAF_FILTERED', ForbiddenException, 403],
];
const SERVER_SIDE = ['API_CONFIGURATION_ERROR', 'AUTHORIZER_CONFIGURATION_ERROR', 'AUTHORIZER_FAILURE'];

function shapeOf(type: string): Required<GatewayResponseDescription> {
  const fallback = SERVER_SIDE.includes(type) ? 'DEFAULT_5XX' : 'DEFAULT_4XX';
  return (shapes[type] ?? shapes[fallback]) as Required<GatewayResponseDescription>;
}

let url: string;
/** Answers in the shape of the type that the first part of the path names, with API Gateway's own request id. */
const server = createServer((request, response) => {
  const { statusCode, responseParameters, responseTemplates } = shapeOf(request.url?.split('/')[1] ?? '');
  for (const [name, value] of Object.entries(responseParameters)) {
    response.setHeader(name.replace('gatewayresponse.header.', ''), value.replace(/^'(.*)'$/, '$1'));
  }
  response.setHeader('Content-Type', 'application/json');
  response.setHeader('x-amzn-RequestId', REQUEST_ID);
  response.statusCode = Number(statusCode);
  response.end(
    responseTemplates['application/json']
      ?.replaceAll('$context.error.messageString', JSON.stringify(SAID))
      .replaceAll('$context.requestId', REQUEST_ID),
  );
});
beforeAll(async () => {
  url = `http://127.0.0.1:${await listen(server, 0)}`;
});
afterAll(() => close(server));

describe('what the gateway answers by itself', () => {
  it.each(TYPES)('is as %s a modelled error for the stock SDK', async (type, errorClass, status) => {
    const client = clientOfUsher(`${url}/${type}`, null, { maxAttempts: 1 });
    const error = await client
      .send(new BatchCreateAttendeeCommand({ MeetingId: ABSENT_MEETING, Attendees: [] }))
      .catch((e) => e);
    expect(error).toBeInstanceOf(errorClass);
    expect(error.$metadata).toMatchObject({ httpStatusCode: status, requestId: REQUEST_ID });
    expect(error).toMatchObject({
      Code: errorClass.name.replace('Exception', ''),
      RequestId: REQUEST_ID,
      message: expect.stringMatching(/\w/),
    });
    if (errorClass === ServiceUnavailableException) expect(error.RetryAfterSeconds).toBe('1');
  });

  it.each(TYPES)('is as %s readable for a page of any origin, without credentials', (type) => {
    const { responseParameters: headers } = shapeOf(type);
    expect(headers['gatewayresponse.header.Access-Control-Allow-Origin']).toBe("'*'");
    expect(Object.keys(headers)).not.toContain('gatewayresponse.header.Access-Control-Allow-Credentials');
    const exposed = headers['gatewayresponse.header.Access-Control-Expose-Headers'];
    for (const name of ['x-amzn-RequestId', 'x-amzn-ErrorType', 'Retry-After']) {
      expect(exposed).toContain(name);
    }
    expect(headers['gatewayresponse.header.Cache-Control']).toBe("'no-store'");
  });

  it('has no shape for a type that does not exist', () => {
    expect(Object.keys(shapes).filter((type) => !TYPES.some(([known]) => known === type))).toEqual([]);
  });
});
