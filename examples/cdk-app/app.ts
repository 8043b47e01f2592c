import { App, CfnOutput, Stack } from 'aws-cdk-lib';
import { AccountRootPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { AttendeeFacade } from 'chime-usher';

// Your own app and stack, with Usher as one construct among others.
const app = new App();
const stack = new Stack(app, 'Classroom');

const facade = new AttendeeFacade(stack, 'Meetings', {
  issuers: [
    {
      issuer: 'https://login.example.com',
      audience: ['https://meetings.example.com'],
      accessTokenMark: { typ: 'at+jwt' },
      scopes: { delegate: 'attendees.create', self: 'attendees.create.self' },
      tenantClaim: 'tenant',
    },
  ],
  allowedOrigins: ['https://app.example.com'],
  audit: { retentionDays: 400 },
  alarmTopic: new Topic(stack, 'OnCall'),
});

// This role may query the audit, and nothing else.
const auditor = new Role(stack, 'Auditor', { assumedBy: new AccountRootPrincipal() });
facade.grantReadAudit(auditor);

// Its metrics are ordinary metrics.
facade.metricDenied().createAlarm(stack, 'ManyDenials', { threshold: 20, evaluationPeriods: 3 });

new CfnOutput(stack, 'MeetingsUrl', { value: facade.url });
