import { printable } from './output/printable.ts';

/** The failure in one line that a person at a terminal can act on. */
export function describeFailure(error: unknown): string {
  return printable(sentence(error as Error & { code?: string }));
}

function sentence(error: Error & { code?: string }): string {
  switch (error.name) {
    case 'AccessDeniedException':
      return `These credentials have no permission to read this table: ${error.message}`;
    case 'AccessDenied':
      return `These credentials have no permission to read the seals: ${error.message}`;
    case 'NoSuchBucket':
      return 'The bucket of the seals does not exist: compare its name with the output SealBucketName of the stack.';
    case 'ResourceNotFoundException':
      return 'The table does not exist in this Region: compare the names with the outputs of the stack.';
    case 'CredentialsProviderError':
    case 'TokenProviderError':
      return `No usable AWS credentials were found: ${error.message}`;
    case 'ExpiredTokenException':
    case 'InvalidSignatureException':
    case 'UnrecognizedClientException':
      return `AWS does not accept these credentials: ${error.message}`;
    case 'ProvisionedThroughputExceededException':
    case 'RequestLimitExceeded':
    case 'ThrottlingException':
      return `DynamoDB throttles these requests, try again later: ${error.message}`;
    case 'TimeoutError':
      return 'DynamoDB does not answer in time.';
  }
  if (error.message === 'Region is missing')
    return 'No Region is configured: give --region or set AWS_REGION.';
  if (NOT_REACHED.includes(error.code ?? '')) {
    return `DynamoDB cannot be reached (${error.code}): ${error.message || 'is the local system still running?'}`;
  }
  return error.name === 'Error' ? error.message : `${error.name}: ${error.message}`;
}

const NOT_REACHED = [
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
];
