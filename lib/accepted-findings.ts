import { CfnResource, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** A finding of a rule checker, and why it is intended. */
export interface AcceptedFinding {
  /** A rule of cdk-nag's AwsSolutions pack, with one finding in brackets if it has several; or a rule of cfn-lint. */
  id: string;
  reason: string;
}

/**
 * Marks findings of rule checkers on one resource as accepted: for cdk-nag 3 by CDK's own means, for cdk-nag 2 and
 * cfn-lint in the metadata that they read. Users of these constructs need none of the checkers.
 */
export function acceptFindings(construct: IConstruct | undefined, ...findings: AcceptedFinding[]): void {
  if (construct === undefined) return;
  const resource = CfnResource.isCfnResource(construct) ? construct : construct.node.defaultChild;
  // An app may have CDK create no roles and policies (`Role.customizeRoles`): then there is nothing to accept either.
  if (!CfnResource.isCfnResource(resource)) return;
  const nag = findings.filter(({ id }) => id.startsWith('AwsSolutions-'));
  if (nag.length > 0) {
    acknowledge(resource, nag);
    resource.addMetadata('cdk_nag', { rules_to_suppress: nag.map(forVersion2) });
  }
  const lint = findings.filter((finding) => !nag.includes(finding));
  if (lint.length > 0) {
    resource.addMetadata('cfn-lint', { config: { ignore_checks: lint.map(({ id }) => id) } });
    resource.addMetadata('accepted', Object.fromEntries(lint.map(({ id, reason }) => [id, reason])));
  }
}

/** For cdk-nag 3. Older versions of aws-cdk-lib have no `Validations`, or refuse its names of findings. */
function acknowledge(resource: CfnResource, findings: AcceptedFinding[]): void {
  try {
    Validations.of(resource).acknowledge(...findings);
  } catch {
    // Accepted findings must never prevent synthesis.
  }
}

function forVersion2({ id, reason }: AcceptedFinding): { id: string; reason: string; applies_to?: string[] } {
  const [, rule = id, finding] = /^([^[]+)\[(.+)\]$/.exec(id) ?? [];
  return { id: rule, reason, ...(finding === undefined ? {} : { applies_to: [finding] }) };
}
