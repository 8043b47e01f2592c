import { describe, expect, it } from '@jest/globals';
import { Aspects, CfnResource } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Role } from 'aws-cdk-lib/aws-iam';
import { addFacade, createApp, createForeignStack, resourcesOf } from '../support/synthesize.ts';

const everything = {
  logs: { access: true, accountRole: true },
  deployment: { canaryMinutes: 5 },
} as const;

describe('an app that makes its roles elsewhere', () => {
  it('synthesizes a facade without roles and policies if they are precreated', () => {
    const stack = createForeignStack({}, createApp());
    Role.customizeRoles(stack, {
      usePrecreatedRoles: {
        'Facade/Attendees/Role': 'attendees',
        'Facade/Reconciler/Role': 'reconciler',
        'Facade/Observer/Role': 'observer',
        'Facade/Sealer/Role': 'sealer',
        'Facade/AttendeeApi/Api/CloudWatchRole': 'gateway-logs',
        'Facade/Deployment/Group/ServiceRole': 'code-deploy',
      },
    });
    addFacade(stack, everything);
    const template = Template.fromStack(stack);
    expect(resourcesOf(template, 'AWS::IAM::Role')).toEqual([]);
    expect(resourcesOf(template, 'AWS::IAM::Policy')).toEqual([]);
    const roles = resourcesOf(template, 'AWS::Lambda::Function').map(({ Properties }) =>
      JSON.stringify(Properties['Role']),
    );
    expect(roles).toEqual([
      expect.stringContaining('role/attendees'),
      expect.stringContaining('role/reconciler'),
      expect.stringContaining('role/observer'),
      expect.stringContaining('role/sealer'),
    ]);
  });

  it('synthesizes with roles and a report of them if CDK still creates them', () => {
    const stack = createForeignStack({}, createApp());
    Role.customizeRoles(stack, { preventSynthesis: false });
    addFacade(stack, everything);
    expect(resourcesOf(Template.fromStack(stack), 'AWS::IAM::Role').length).toBeGreaterThanOrEqual(4);
  });
});

describe('an app that removes or replaces resources', () => {
  it.each(['AWS::IAM::Policy', 'AWS::CloudWatch::Alarm', 'AWS::CloudWatch::Dashboard'])(
    'synthesizes without those of the type %s',
    (type) => {
      const stack = createForeignStack({}, createApp());
      addFacade(stack, everything);
      Aspects.of(stack).add({
        visit(node) {
          if (CfnResource.isCfnResource(node) && node.cfnResourceType === type) {
            node.node.scope?.node.tryRemoveChild(node.node.id);
          }
        },
      });
      expect(resourcesOf(Template.fromStack(stack), type)).toEqual([]);
    },
  );
});
