import { Stage, Token } from 'aws-cdk-lib';
import type { IDomainName } from 'aws-cdk-lib/aws-apigateway';
import type { IUserPool } from 'aws-cdk-lib/aws-cognito';
import type { IConstruct } from 'constructs';
import type { CustomDomain } from '../attendee-api.ts';
import { rootStackOf } from '../facade-name.ts';
import { resourceServerOf } from '../settings/complete.ts';
import type { CompleteSettings } from '../settings/props.ts';

/** By app: what only one facade may have, and which one has it. */
const takers = new WeakMap<IConstruct, Map<string, IConstruct>>();

/** What must be unique among the facades of one place. */
export interface Unshared {
  name: string;
  namespace: string;
  settings: CompleteSettings;
  userPool: IUserPool | undefined;
  domain: CustomDomain | IDomainName | undefined;
}

/** What another facade of the app already has, as `prop: problem`, if both are certain to collide. */
export function* problemsWithCollisions(
  facade: IConstruct,
  { name, namespace, settings, userPool, domain }: Unshared,
): Generator<string> {
  const namesake = take(facade, 'name', placeKeyOf(facade, 'stage'), name);
  // Two stacks of one name cannot be in one place: CloudFormation would treat them as one.
  if (namesake !== undefined && !areDifferentStacksOfOneName(facade, namesake)) {
    yield `id: leads to the name ${name}, which ${namesake.node.path} also has, so each would count the other's requests and alarms; change one of the ids`;
  }
  const namesakeOfMetrics = take(facade, 'namespace', placeKeyOf(facade, 'stack'), namespace);
  const isOther = namesakeOfMetrics !== undefined && namesakeOfMetrics !== namesake;
  if (isOther && !areDifferentStacksOfOneName(facade, namesakeOfMetrics)) {
    yield `metricsNamespace: "${namespace}" is also used by ${namesakeOfMetrics.node.path}, so each would count the other's requests and alarms; choose another one`;
  }
  yield* problemsWithSharedResources(facade, { settings, userPool, domain });
  if (settings.logs.accountRole) {
    const earlier = take(facade, 'account role', placeKeyOf(facade, 'stack'));
    if (earlier !== undefined) {
      yield `logs.accountRole: is also set for ${earlier.node.path}, so each would replace the account-wide role of the other; set it once per account and Region`;
    }
  }
}

function* problemsWithSharedResources(
  facade: IConstruct,
  { settings, userPool, domain }: Pick<Unshared, 'settings' | 'userPool' | 'domain'>,
): Generator<string> {
  if (userPool !== undefined) {
    const identifier = resourceServerOf(settings);
    const earlier = take(facade, 'resource server', userPool.userPoolId, identifier);
    if (earlier !== undefined) {
      yield `cognito.resourceServer: "${identifier}" is also used by ${earlier.node.path} in the same userPool, so the deployment would fail halfway; choose another one`;
    }
  }
  if (domain !== undefined) {
    const domainName = 'certificate' in domain ? domain.name : domain.domainName;
    const earlier = take(facade, 'domain', placeKeyOf(facade, 'stack'), domainName);
    if (earlier !== undefined) {
      yield `domain: its root is already mapped to ${earlier.node.path}, so the deployment would fail halfway; use one domain name for each facade`;
    }
  }
}

/**
 * Claims for a construct what only one of an app may have.
 *
 * @param what words that distinguish it from everything else that is claimed
 * @returns the construct that already has it, or undefined
 */
function take(taker: IConstruct, ...what: string[]): IConstruct | undefined {
  const { root } = taker.node;
  const ofApp = takers.get(root) ?? new Map<string, IConstruct>();
  takers.set(root, ofApp);
  const key = what.join('|');
  const earlier = ofApp.get(key);
  if (earlier !== undefined && isInTree(earlier)) return earlier;
  ofApp.set(key, taker);
  return undefined;
}

/** Whether a construct and all its parents are still in the tree. */
function isInTree({ node: { scopes } }: IConstruct): boolean {
  return scopes.slice(1).every((construct, index) => {
    const { node } = scopes[index] as IConstruct;
    return node.tryFindChild(construct.node.id) === construct;
  });
}

/**
 * The account and Region of a construct. If they are open, two stacks of one app may deploy to different ones: then the
 * place is the stack alone, or the stage with all its stacks.
 */
function placeKeyOf(construct: IConstruct, ifOpen: 'stack' | 'stage'): string {
  const stack = rootStackOf(construct);
  const isOpen = [stack.account, stack.region].some((name) => Token.isUnresolved(name));
  if (!isOpen) return stack.environment;
  return `${stack.environment} ${(ifOpen === 'stack' ? stack : Stage.of(stack))?.node.path}`;
}

function areDifferentStacksOfOneName(one: IConstruct, other: IConstruct): boolean {
  const [a, b] = [rootStackOf(one), rootStackOf(other)];
  return a !== b && a.stackName === b.stackName;
}
