import { CfnResource, Reference, Token, Tokenization } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

// An app may have a second copy of aws-cdk-lib, whose constructs have other classes: their CloudFormation types
// identify them.

/** The resource of a construct, if it has one of these types. */
export function resourceOf(construct: IConstruct, ...types: string[]): CfnResource | undefined {
  const resource = CfnResource.isCfnResource(construct) ? construct : defaultChildOf(construct);
  return CfnResource.isCfnResource(resource) && types.includes(resource.cfnResourceType)
    ? resource
    : undefined;
}

/** The resource of the app that a text refers to, if it has one of these types. */
export function resourceNamedBy(text: string, ...types: string[]): CfnResource | undefined {
  if (!Token.isUnresolved(text)) return undefined;
  const token = Tokenization.reverseCompleteString(text);
  return Reference.isReference(token) ? resourceOf(token.target, ...types) : undefined;
}

/** Undefined with two candidates, for which `defaultChild` throws. */
function defaultChildOf({ node }: IConstruct): IConstruct | undefined {
  try {
    return node.defaultChild;
  } catch {
    return undefined;
  }
}
