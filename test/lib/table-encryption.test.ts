import { describe, expect, it } from '@jest/globals';
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Key } from 'aws-cdk-lib/aws-kms';
import { AuditTables } from '../../lib/audit-tables.ts';
import { addFacade, createApp, type Resource, theResource } from '../support/synthesize.ts';

describe('the key of tables of another stack', () => {
  const app = createApp();
  const data = new Stack(app, 'Data');
  const tables = new AuditTables(data, 'Tables', { encryptionKey: new Key(data, 'Key') });
  const stack = new Stack(app, 'Theirs');
  addFacade(stack, { tables });
  const template = Template.fromStack(stack);

  it.each(['Attendees', 'Reconciler'])('can be used by %s before it answers or runs', (name) => {
    const { id } = theResource(template, 'AWS::IAM::Policy', `Facade${name}TableKeys`);
    const deployed = theResource(template, 'AWS::Lambda::Function', `Facade${name}`);
    expect((deployed as Resource & { DependsOn?: string[] }).DependsOn).toContain(id);
  });
});
