/** A Lambda function, as far as the local system needs it. */
export interface FunctionDescription {
  name: string;
  arn: string;
  /** Lambda's `Handler`: file and export, `index.handler`. */
  handler: string;
  /** The directory that holds the bundle. */
  directory: string;
  /** The function's own variables, without those that Lambda sets. */
  environment: Record<string, string>;
  timeoutMs: number;
  memoryMb: number;
  /** Lambda's name of it: `nodejs24.x`. The processes always run on this process's own Node.js. */
  runtime: string;
  logging: { group: string; format?: string; level?: string };
}
