import type { ChimeSDKMeetingsClient } from '@aws-sdk/client-chime-sdk-meetings';
import type { DynamoDBClient, PutItem$ } from '@aws-sdk/client-dynamodb';

/**
 * A connection that was idle for so long is not used again. Lambda freezes a process between two invocations, and what is
 * on the way of its idle connections forgets them after some minutes
 * (docs/decisions/0005-repeating-is-the-clients-part.md).
 */
export const MAX_IDLE_MS = 5_000;

/**
 * Makes the first attempt of every call of a client with what the client itself is made of, its protocol, its signer and
 * its connections, and nothing in between. The SDK passes a call through eleven functions, four of which copy the whole
 * configuration every time, which is more work than all of ours. That way is left for the attempts after the first
 * (docs/decisions/0011-the-first-attempt-is-direct.md).
 *
 * @param endpoint scheme, host and port
 * @param repeats whether the SDK is to try again after this error; what a caller aborted is never tried again
 */
export function attemptDirectly(
  client: ChimeSDKMeetingsClient | DynamoDBClient,
  endpoint: string,
  { repeats }: { repeats(error: unknown): boolean },
): void {
  const { config } = client;
  const { requestHandler } = config;
  const protocol = config.protocol as unknown as Protocol;
  const { protocol: scheme, hostname, port, host } = new URL(endpoint);
  const address = { protocol: scheme, hostname, path: '/', ...(port !== '' && { port: Number(port) }) };
  const serde = { ...config, endpoint: async () => address };
  const [authScheme] = config.httpAuthSchemes;
  if (authScheme === undefined) throw new Error('A client without a way to sign');
  const { signer } = authScheme;
  shareSigner(client);
  let usedAtMs = 0;

  const attempt = async (operation: Operation, input: object, context: Context) => {
    // A process that was just thawed may be here before the timers that end its old connections.
    if (performance.now() - usedAtMs >= MAX_IDLE_MS) await new Promise((resolve) => setTimeout(resolve));
    const request = await protocol.serializeRequest(operation, input, serde);
    Object.assign(request.headers, { host, 'user-agent': 'usher' });
    const signing = { config, context };
    const { response } = await requestHandler.handle(await signer.sign(request, {}, signing), {
      abortSignal: context.__smithy_context?.abortSignal as AbortSignal | undefined,
    });
    try {
      const output = await protocol.deserializeResponse(operation, serde, response);
      signer.successHandler?.(response, signing);
      return { output, response };
    } catch (error) {
      tellAnswer(error as Error, response);
      // It learns from the answer how far our clock is off, and throws the error again.
      signer.errorHandler?.(signing)(error as Error);
      throw error;
    } finally {
      usedAtMs = performance.now();
    }
  };

  const stack = client.middlewareStack as DynamoDBClient['middlewareStack'];
  stack.add(
    (next, context) => async (args) => {
      try {
        return (await attempt(operationOf(context), args.input, context)) as Awaited<ReturnType<typeof next>>;
      } catch (error) {
        if (context.__smithy_context?.abortSignal?.aborted || !repeats(error)) throw error;
        return next(args);
      }
    },
    { name: 'directAttempt', step: 'initialize' },
  );
}

/**
 * Lets a client of DynamoDB write its requests with `JSON.stringify`. An item of texts, numbers, truths, lists and maps
 * is on the wire what it is here already, and the SDK's own serializer writes it letter by letter; it is needed for binary
 * values, of which there are none.
 */
export function jsonAsItIs({ config }: DynamoDBClient): void {
  let input: unknown;
  Object.assign(config.protocol, {
    serializer: {
      setSerdeContext() {},
      write(_schema: unknown, value: unknown) {
        input = value;
      },
      flush: () => JSON.stringify(input),
    },
  });
}

/** Of what the SDK calls a protocol, as much as is used here. */
interface Protocol {
  serializeRequest(operation: Operation, input: object, context: object): Promise<Request>;
  deserializeResponse(operation: Operation, context: object, response: Answer): Promise<object>;
}
type Request = Parameters<DynamoDBClient['config']['httpAuthSchemes'][number]['signer']['sign']>[0];
type Middleware = Parameters<DynamoDBClient['middlewareStack']['add']>[0];
type Context = Parameters<Middleware>[1];
type Answer = { statusCode: number; headers: Record<string, string> };
type Operation = ReturnType<typeof operationOf>;

/** The operation that a command is of, as the protocol takes it. */
function operationOf({ __smithy_context: { operationSchema } = {} }: Context) {
  const [, namespace, name, traits, input, output] = operationSchema as typeof PutItem$;
  return { namespace, name, traits, input, output };
}

/** Hands an error the answer that it is about, as the SDK does for those who look at headers or have no status else. */
function tellAnswer(error: Error & { $metadata?: object }, response: Answer): void {
  Object.defineProperty(error, '$response', { value: response });
  error.$metadata ??= {
    httpStatusCode: response.statusCode,
    requestId: response.headers['x-amzn-requestid'],
  };
}

/** One service in one Region needs one signer, where a client makes one for each call. */
function shareSigner({ config }: ChimeSDKMeetingsClient | DynamoDBClient): void {
  const makeSigner = config.signer;
  let signer: ReturnType<typeof makeSigner> | undefined;
  config.signer = (authScheme) => {
    signer ??= makeSigner(authScheme);
    return signer;
  };
}
