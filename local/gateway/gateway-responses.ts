import type { GatewayResponseDescription } from '../api-template.ts';

/** An error that API Gateway itself answers. */
export interface GatewayError {
  type: GatewayErrorType;
  message: string;
}

export type GatewayErrorType = keyof typeof DEFAULTS;

/** An answer to the client: a value may be a list if a header occurs more than once. */
export interface HttpAnswer {
  statusCode: number;
  headers: Record<string, string | string[]>;
  body: string;
  /** Whether an integration made it. */
  integrated?: boolean;
}

/**
 * Status and `x-amzn-ErrorType` unless a gateway response says otherwise
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html and
 * https://repost.aws/knowledge-center/api-gateway-troubleshoot-403-forbidden). DEFAULT_5XX also covers a function that
 * failed, or whose answer is not a proxy response: this has no type and is a 502
 * (https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway-errors.html). Not documented: the error type of
 * INTEGRATION_TIMEOUT, and the answer for a path that cannot be decoded (here DEFAULT_4XX).
 */
const DEFAULTS = {
  DEFAULT_4XX: { statusCode: 400, errorType: 'BadRequestException' },
  DEFAULT_5XX: { statusCode: 502, errorType: 'InternalServerErrorException' },
  INTEGRATION_TIMEOUT: { statusCode: 504, errorType: 'InternalServerErrorException' },
  MISSING_AUTHENTICATION_TOKEN: { statusCode: 403, errorType: 'MissingAuthenticationTokenException' },
  THROTTLED: { statusCode: 429, errorType: 'TooManyRequestsException' },
};

/**
 * Answers with the gateway responses of an API
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html).
 *
 * @param responses by their types
 * @returns shapes an error; `context` holds the `$context` variables by name, such as `requestId`
 * @throws if a response parameter is neither a literal nor a context variable
 */
export function createErrorShaper(responses: Record<string, GatewayResponseDescription>) {
  for (const { responseParameters = {} } of Object.values(responses)) {
    for (const [name, value] of Object.entries(responseParameters)) headerValue(name, value, {});
  }
  return ({ type, message }: GatewayError, context: Record<string, string>): HttpAnswer => {
    const { statusCode, errorType } = DEFAULTS[type];
    const response = responses[type] ?? responses[statusCode >= 500 ? 'DEFAULT_5XX' : 'DEFAULT_4XX'] ?? {};
    const variables = {
      ...context,
      'error.message': message,
      'error.messageString': JSON.stringify(message),
      'error.responseType': type,
    };
    const template =
      response.responseTemplates?.['application/json'] ?? '{"message":$context.error.messageString}';
    const headers: HttpAnswer['headers'] = {
      'Content-Type': 'application/json',
      'x-amzn-ErrorType': errorType,
    };
    for (const [parameter, value] of Object.entries(response.responseParameters ?? {})) {
      headers[headerName(parameter)] = headerValue(parameter, value, variables);
    }
    return {
      statusCode: Number(response.statusCode ?? statusCode),
      headers,
      body: template.replace(
        /\$context\.([A-Za-z]+(?:\.[A-Za-z]+)*)/g,
        (_, name: string) => (variables as Record<string, string>)[name] ?? '',
      ),
    };
  };
}

function headerName(parameter: string): string {
  return parameter.replace(/^gatewayresponse\.header\./, '');
}

function headerValue(parameter: string, value: string, variables: Record<string, string>): string {
  const literal = /^'(.*)'$/.exec(value);
  if (parameter.startsWith('gatewayresponse.header.')) {
    if (literal) return literal[1] as string;
    if (value.startsWith('context.')) return variables[value.slice('context.'.length)] ?? '';
  }
  throw new Error(`The local gateway does not support the response parameter ${parameter}: ${value}.`);
}
