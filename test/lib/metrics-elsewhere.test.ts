import { describe, expect, it } from '@jest/globals';
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Dashboard, GraphWidget, type IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import type { AttendeeFacade } from '../../lib/attendee-facade.ts';
import { addFacade, createApp, flat, theResource } from '../support/synthesize.ts';

const account = '123456789012';

/** A facade in Frankfurt, and the text of a dashboard of one of its metrics in a stack of a Region. */
function drawnIn(region: string, metricOf: (facade: AttendeeFacade) => IMetric): string {
  const app = createApp();
  const facade = addFacade(new Stack(app, 'Theirs', { env: { region: 'eu-central-1', account } }));
  const stack = new Stack(app, 'Metrics', { env: { region, account } });
  new Dashboard(stack, 'All', { widgets: [[new GraphWidget({ left: [metricOf(facade)] })]] });
  const { Properties } = theResource(Template.fromStack(stack), 'AWS::CloudWatch::Dashboard');
  return flat(Properties['DashboardBody']);
}

describe('a metric of a facade', () => {
  it.each<[string, (facade: AttendeeFacade) => IMetric]>([
    ["the functions' own", (facade) => facade.metricIssued()],
    ["the API's", (facade) => facade.metricLatency()],
    ['a sum of several', (facade) => facade.metricDenied()],
  ])('is read from the Region of the facade, from any stack: %s', (_what, metricOf) => {
    const there = '"region":"eu-central-1"';
    expect(drawnIn('us-east-1', metricOf)).toContain(there);
    expect(drawnIn('eu-central-1', metricOf)).not.toContain(there);
  });

  it('can be read from another Region explicitly', () => {
    const facade = addFacade(new Stack(createApp(), 'Theirs', { env: { region: 'eu-central-1', account } }));
    expect(facade.metricIssued({ region: 'eu-west-2' }).region).toBe('eu-west-2');
  });
});
