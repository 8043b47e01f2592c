// What the package offers to other CDK apps.

export type { MetricName } from '../lambda/model/metrics.ts';
export type { Reason } from '../lambda/model/reasons.ts';
export type { Rule } from '../lambda/model/rules.ts';
export type { CustomDomain } from './attendee-api.ts';
export { AttendeeFacade, type AttendeeFacadeAttributes } from './attendee-facade.ts';
export { AttendeeFacadeBase, type IAttendeeFacade } from './attendee-facade-base.ts';
export { type AuditTableSet, AuditTables, type AuditTablesProps } from './audit-tables.ts';
export { ConfigurationError } from './checks/configuration-error.ts';
export type { AttendeeFacadeProps } from './facade-props.ts';
export { loadConfig } from './settings/config-file.ts';
export type * from './settings/props.ts';
export type { TimeSpan } from './settings/time-span.ts';
export { UsherStack, type UsherStackProps } from './usher-stack.ts';
