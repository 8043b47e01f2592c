import { App, CfnResource, Stack } from 'aws-cdk-lib';

// A template that CDK and CloudFormation take, and CloudWatch Logs refuses when it is deployed: the pattern has no end.
const app = new App();
new CfnResource(new Stack(app, 'Refused'), 'Filter', {
  type: 'AWS::Logs::MetricFilter',
  properties: {
    LogGroupName: 'any',
    FilterPattern: '[time, level',
    MetricTransformations: [{ MetricName: 'lines', MetricNamespace: 'any', MetricValue: '1' }],
  },
});
app.synth();
