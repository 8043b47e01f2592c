// The API of the package for other CDK apps: every reachable type is exported, so that apps can name it. The parts of a
// facade are exported as types only, because only a facade creates them.

export type { Capabilities, MediaCapability } from '../lambda/model/attendees.ts';
export type { AccessTokenMark, IssuerRules, SignatureAlgorithm } from '../lambda/model/issuer-rules.ts';
export type { MetricName } from '../lambda/model/metrics.ts';
export type { FailureReason, Reason, TokenReason } from '../lambda/model/reasons.ts';
export type { Rule } from '../lambda/model/rules.ts';
export type { Alarms } from './alarms.ts';
export type { AttendeeApi, CustomDomain } from './attendee-api.ts';
export { AttendeeFacade, type AttendeeFacadeAttributes } from './attendee-facade.ts';
export { AttendeeFacadeBase, type IAttendeeFacade } from './attendee-facade-base.ts';
export type { AttendeeFunction } from './attendee-function.ts';
export {
  type AuditTableSet,
  AuditTables,
  type AuditTablesProps,
  type ExistingTables,
} from './audit-tables.ts';
export { ConfigurationError } from './checks/configuration-error.ts';
export type { CognitoIssuer } from './cognito-issuer.ts';
export type { DenialMetricOptions, OwnMetricOptions } from './facade-metrics.ts';
export type { AttendeeFacadeProps } from './facade-props.ts';
export type { Firewall } from './firewall.ts';
export type { ObserverFunction } from './observer-function.ts';
export type { OperationsDashboard } from './operations-dashboard.ts';
export type { ReconcilerFunction } from './reconciler-function.ts';
export type { SealerFunction } from './sealer-function.ts';
export { loadConfig } from './settings/config-file.ts';
export type * from './settings/props.ts';
export type { TimeSpan } from './settings/time-span.ts';
export type { UsherFunction } from './usher-function.ts';
export { UsherStack, type UsherStackProps } from './usher-stack.ts';
