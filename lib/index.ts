// What the package offers to other CDK apps.
export type { MetricName } from '../lambda/metrics.ts';
export type { Rule } from '../lambda/policy.ts';
export type { CustomDomain } from './attendee-api.ts';
export { AttendeeFacade, type AttendeeFacadeProps } from './attendee-facade.ts';
export { type AuditTableSet, AuditTables, type AuditTablesProps } from './audit-tables.ts';
export type { FacadeSettings } from './facade-settings.ts';
export type { IssuerEntry } from './issuer-config.ts';
