import type { Alarm } from 'aws-cdk-lib/aws-cloudwatch';
import { LambdaDeploymentConfig, LambdaDeploymentGroup } from 'aws-cdk-lib/aws-codedeploy';
import type { Alias } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { acceptFindings } from './accepted-findings.ts';
import type { CompleteSettings } from './settings/props.ts';

const CONFIGS = {
  5: LambdaDeploymentConfig.CANARY_10PERCENT_5MINUTES,
  10: LambdaDeploymentConfig.CANARY_10PERCENT_10MINUTES,
  15: LambdaDeploymentConfig.CANARY_10PERCENT_15MINUTES,
  30: LambdaDeploymentConfig.CANARY_10PERCENT_30MINUTES,
};

export interface GradualDeploymentProps {
  alias: Alias;
  canaryMinutes: NonNullable<CompleteSettings['deployment']['canaryMinutes']>;
  /** Each of them rolls the alias back while the canary runs. */
  alarms: Alarm[];
}

/** CodeDeploy moves the alias to a new version, a tenth of the requests first. */
export class GradualDeployment extends Construct {
  readonly group: LambdaDeploymentGroup;

  constructor(scope: Construct, id: string, props: GradualDeploymentProps) {
    super(scope, id);
    this.group = new LambdaDeploymentGroup(this, 'Group', {
      alias: props.alias,
      deploymentConfig: CONFIGS[props.canaryMinutes],
      alarms: props.alarms,
    });
    acceptFindings(this.group.role, {
      id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSCodeDeployRoleForLambdaLimited]',
      reason:
        'AWSCodeDeployRoleForLambdaLimited is what CodeDeploy says it needs to move an alias; it reaches no table and nothing of Chime.',
    });
  }
}
