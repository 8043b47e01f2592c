import { describe, expect, it } from '@jest/globals';
import { flat, synthesize, theResource } from '../support/synthesize.ts';

const template = synthesize({ deployment: { canaryMinutes: 10 } });
const group = theResource(template, 'AWS::CodeDeploy::DeploymentGroup');

describe('a gradual deployment', () => {
  it('is by CodeDeploy, a tenth of the requests first', () => {
    expect(group.Properties).toMatchObject({
      DeploymentConfigName: 'CodeDeployDefault.LambdaCanary10Percent10Minutes',
      DeploymentStyle: { DeploymentOption: 'WITH_TRAFFIC_CONTROL', DeploymentType: 'BLUE_GREEN' },
    });
    expect(theResource(template, 'AWS::CodeDeploy::Application').Properties).toEqual({
      ComputePlatform: 'Lambda',
    });
  });

  it('is of the alias that the API invokes, and of that alone', () => {
    const policies = template.findResources('AWS::Lambda::Alias');
    const updated = Object.entries(policies).filter(([, alias]) => alias['UpdatePolicy'] !== undefined);
    expect(updated.map(([id]) => id)).toEqual([theResource(template, 'AWS::Lambda::Alias', 'Attendees').id]);
    expect(updated[0]?.[1]['UpdatePolicy']).toEqual({
      CodeDeployLambdaAliasUpdate: {
        ApplicationName: { Ref: theResource(template, 'AWS::CodeDeploy::Application').id },
        DeploymentGroupName: { Ref: group.id },
      },
    });
  });

  it('rolls back if an error alarm fires, or if it fails', () => {
    const alarms = ['ServerErrors', 'FunctionFailing'].map(
      (id) => theResource(template, 'AWS::CloudWatch::Alarm', `Alarms${id}`).id,
    );
    const configuration = group.Properties['AlarmConfiguration'] as { Alarms: { Name: unknown }[] };
    // Nothing else: CodeDeploy could be configured to go on if it cannot read the alarms.
    expect({ ...configuration, Alarms: configuration.Alarms.map(({ Name }) => flat(Name)) }).toEqual({
      Enabled: true,
      Alarms: alarms.map((id) => `<${id}>`),
    });
    expect(group.Properties['AutoRollbackConfiguration']).toEqual({
      Enabled: true,
      Events: ['DEPLOYMENT_FAILURE', 'DEPLOYMENT_STOP_ON_ALARM'],
    });
  });

  it.each([5, 15, 30])('can take %d minutes', (canaryMinutes) => {
    const { Properties } = theResource(
      synthesize({ deployment: { canaryMinutes } }),
      'AWS::CodeDeploy::DeploymentGroup',
    );
    expect(Properties['DeploymentConfigName']).toBe(
      `CodeDeployDefault.LambdaCanary10Percent${canaryMinutes}Minutes`,
    );
  });

  it('is created on request only', () => {
    synthesize({ production: false, deployment: { canaryMinutes: 10 } }).resourceCountIs(
      'AWS::CodeDeploy::DeploymentGroup',
      1,
    );
    const plain = synthesize();
    plain.resourceCountIs('AWS::CodeDeploy::DeploymentGroup', 0);
    expect(theResource(plain, 'AWS::Lambda::Alias', 'Attendees').UpdatePolicy).toBeUndefined();
  });
});
