import { describe, expect, it } from '@jest/globals';
import { synthesize, theResource } from './synthesize.ts';
import { alarmsOf, metricsOfWidget, widgetsOf } from './watched-metrics.ts';

const template = synthesize();
const widgets = widgetsOf(template);

describe('the dashboard', () => {
  it('is one, whose name CloudFormation keeps unique', () => {
    expect(theResource(template, 'AWS::CloudWatch::Dashboard').Properties['DashboardName']).toBeUndefined();
  });

  it('shows every alarm', () => {
    const shown = widgets.flatMap(({ properties }) => properties.alarms ?? []);
    expect(shown.toSorted()).toEqual(
      alarmsOf(template)
        .map(({ id }) => `<${id}.Arn>`)
        .toSorted(),
    );
  });

  it('has a title and something to show in every widget', () => {
    for (const widget of widgets) {
      expect(widget.properties.title).toMatch(/\w/);
      expect(metricsOfWidget(widget).length + (widget.properties.alarms?.length ?? 0)).toBeGreaterThan(0);
    }
  });
});
