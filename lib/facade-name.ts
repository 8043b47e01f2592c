import { createHash } from 'node:crypto';
import { Stack } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { isKnown } from './checks/known-at-synthesis.ts';

/** Names and ids derived from it are allowed 255 characters, the longest of them with 25 before it. */
const MAX_NAME_LENGTH = 200;

/**
 * The characters that CloudWatch accepts
 * (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html, Namespaces).
 */
const NAMESPACE = /^(?=.*\S)(?!:)[A-Za-z0-9._/#: -]{1,255}$/;

/** The path of a facade, from the stack's name on, in the characters that APIs and metrics share. */
export function nameOf(facade: IConstruct): string {
  const stack = rootStackOf(facade);
  const within = facade.node.scopes
    .slice(stack.node.scopes.length)
    .map(({ node }) => node.id)
    .filter((id) => id !== 'Default');
  const name = [stack.stackName, ...within].join('-').replace(/[^A-Za-z0-9._-]/g, '-');
  if (name.length <= MAX_NAME_LENGTH) return name;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return `${name.slice(0, MAX_NAME_LENGTH - 9)}-${digest}`;
}

/** The default CloudWatch namespace of a facade. */
export const defaultNamespace = (facadeName: string): string => `Usher/${facadeName}`;

/** The outermost stack: the name of a nested one is only known at deployment. */
export function rootStackOf(construct: IConstruct): Stack {
  let stack = Stack.of(construct);
  while (stack.nestedStackParent !== undefined) stack = stack.nestedStackParent;
  return stack;
}

/** The problem of a namespace for metrics, as `prop: problem`, as far as synthesis knows it. */
export function* problemWithNamespace(namespace: string | undefined): Generator<string> {
  if (namespace === undefined || !isKnown(namespace)) return;
  if (namespace.startsWith('AWS/')) {
    yield `metricsNamespace: "${namespace}" starts with AWS/, which CloudWatch reserves for AWS services, so no metric would arrive and no alarm could fire; choose another prefix`;
  } else if (!NAMESPACE.test(namespace)) {
    yield `metricsNamespace: "${namespace}" is not a valid CloudWatch namespace, so no metric would arrive and no alarm could fire; use 1 to 255 letters, digits, spaces and ._/#:-, and do not start with a colon`;
  }
}
