// What the package offers to other CDK apps.

export type { MetricName } from '../lambda/model/metrics.ts';
export type { Rule } from '../lambda/model/rules.ts';
export type { CustomDomain } from './attendee-api.ts';
export { AttendeeFacade, type AttendeeFacadeProps } from './attendee-facade.ts';
export { type AuditTableSet, AuditTables, type AuditTablesProps } from './audit-tables.ts';
export type { FacadeSettings } from './settings/facade-settings.ts';
export type { IssuerEntry } from './settings/issuers.ts';
