import type { Logger } from '@aws-lambda-powertools/logger';
import middy, { type MiddlewareObj } from '@middy/core';
import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from 'aws-lambda';
import { mintBatchId } from '../../audit/batch-id.ts';
import type { Origin } from '../../audit/build-records.ts';
import { FacadeError } from '../../model/errors.ts';
import type { LogEvent } from '../../model/log-events.ts';
import type { MetricName } from '../../model/metrics.ts';
import type { TokenVerifier } from '../../model/ports.ts';
import type { Dependencies } from '../request.ts';
import { routeTo } from '../routes.ts';
import { startTimeBudget } from '../time-budget.ts';
import { createCors } from './cors.ts';
import { bearerToken } from './request.ts';
import { failure, success } from './response.ts';

export interface HandlerDependencies extends Omit<Dependencies, 'report'> {
  tokenVerifier: TokenVerifier;
  logger: Logger;
  allowedOrigins: string[];
  allowedHeaders: string[];
}

/** The function behind the REST API: an API Gateway proxy event in, an answer in Chime's shape out. */
export function createHandler(dependencies: HandlerDependencies) {
  const { logger, allowedOrigins, allowedHeaders, addMetrics, clock, randomHex, tokenVerifier } =
    dependencies;
  const report: Dependencies['report'] = (event, facts) => logger.info(event, facts);
  let batchId = '';

  /** Every log line and every answer carries the batch id of its own request. */
  const requestScope: MiddlewareObj<APIGatewayProxyEvent, APIGatewayProxyResult> = {
    before: () => {
      batchId = mintBatchId(clock.now(), randomHex());
      logger.resetKeys();
      logger.appendKeys({ batchId });
    },
  };

  /** Turns any error into a modelled one; an unexpected one becomes ServiceFailure. */
  const modelledErrors: MiddlewareObj<APIGatewayProxyEvent, APIGatewayProxyResult> = {
    onError: (request) => {
      const error =
        request.error instanceof FacadeError
          ? request.error
          : new FacadeError('ServiceFailure', 'The service failed. Repeating the same request is safe.', {
              reason: 'unexpected',
              cause: request.error,
            });
      const { reason, cause } = error.details;
      const serverFault = error.code === 'ServiceFailure' || error.code === 'ServiceUnavailable';
      logger[serverFault ? 'error' : 'warn']('request failed' satisfies LogEvent, {
        code: error.code,
        reason,
        ...causeOf(cause),
      });
      addMetrics({ [metricOf(error)]: 1 }, reason ?? 'unexpected');
      request.response = failure(error, request.event.requestContext.requestId, batchId);
    },
  };

  return middy<APIGatewayProxyEvent, APIGatewayProxyResult>()
    .use(requestScope)
    .use(
      createCors({
        allowedOrigins,
        allowedHeaders,
        onRefusal: (refusal) => logger.warn('origin refused' satisfies LogEvent, { ...refusal }),
      }),
    )
    .use(modelledErrors)
    .handler(async (event: APIGatewayProxyEvent, context: Context) => {
      const budget = startTimeBudget(clock, clock.now() + context.getRemainingTimeInMillis());
      const route = routeTo(event);
      const caller = await tokenVerifier.verify(bearerToken(event));
      const { body, chimeRequestId } = await route.serve(
        event,
        { batchId, caller, origin: originOf(event), budget },
        { ...dependencies, report },
      );
      return success(body, batchId, chimeRequestId);
    });
}

function originOf({ requestContext: { identity, requestId } }: APIGatewayProxyEvent): Origin {
  return { sourceIp: identity.sourceIp, userAgent: identity.userAgent ?? '', gatewayRequestId: requestId };
}

/** Which counter an error adds to. A rule answers 403, or 404 if it is about the meeting; Chime may answer both. */
function metricOf({ code, details: { reason } }: FacadeError): MetricName {
  if (code === 'Unauthorized') return 'Unauthenticated';
  const byRule = reason === 'meeting-tenant' || (code === 'Forbidden' && reason !== 'chime-refused');
  return byRule ? 'Denials' : 'FailedRequests';
}

/** Messages of foreign errors may quote their input, so only their names and stack frames are logged. */
function causeOf(cause: unknown): { cause?: string; at?: string[] } {
  if (!(cause instanceof Error)) return {};
  const { message, stack = '' } = cause;
  // A message may have lines that look like frames.
  const start = stack.indexOf(message);
  const frames =
    start < 0
      ? []
      : stack
          .slice(start + message.length)
          .split('\n')
          .filter((line) => /^\s+at /.test(line));
  return { cause: cause.name, at: frames.slice(0, 5).map((line) => line.trim()) };
}
