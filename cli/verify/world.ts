import type {
  Attendee,
  ChimeSDKMeetingsClient,
  CreateAttendeeError,
  CreateAttendeeRequestItem,
} from '@aws-sdk/client-chime-sdk-meetings';
import type { ReconcileSummary } from '../../lambda/reconciler/reconcile.ts';
import type { AskedTables } from '../audit/tables.ts';
import type { AwsCall } from './aws.ts';
import type { Meetings } from './meetings.ts';
import type { DeployedStack } from './stack.ts';

/** The deployment, and what is needed to call it and to inspect it. */
export interface Target {
  /**
   * `aws`: AWS's own endpoints. `emulator`: others, which `AWS_ENDPOINT_URL` names. `local`: what `npm start` runs.
   */
  kind: 'aws' | 'emulator' | 'local';
  /** As text, for people. */
  place: string;
  /** With the stage, without a trailing slash. */
  apiUrl: string;
  region: string;
  /** The control Region of the meetings. */
  meetingsRegion: string;
  /** Chime, called with the account owner's credentials. */
  chime: ChimeSDKMeetingsClient;
  tables: Required<Omit<AskedTables, 'onDamage' | 'eventTableName'>> & Pick<AskedTables, 'eventTableName'>;
  /** A web origin that may call; undefined if none is configured. */
  allowedOrigin: string | undefined;
  /** A token whose caller may name anyone in the meeting. */
  callerToken(meetingId: string): Promise<string>;
  /** A token whose caller may name only itself; undefined if none is given. */
  guestToken: ((meetingId: string) => Promise<string>) | undefined;
  /** Runs the reconciler once. */
  reconcile(): Promise<ReconcileSummary>;
  /** Undefined for the local system. */
  deployment: { call: AwsCall; stack: DeployedStack } | undefined;
  close(): Promise<void>;
}

/** A batch that was answered with 200. */
export interface AnsweredBatch {
  batchId: string;
  meetingId: string;
  requested: CreateAttendeeRequestItem[];
  attendees: Attendee[];
  errors: CreateAttendeeError[];
}

/** What the checks of one run share. */
export interface World extends Target {
  meetings: Meetings;
  meetingId: string;
  token: string;
  guest: string | undefined;
  /** Every batch so far. */
  answered: AnsweredBatch[];
  /** An ExternalUserId of this run, in the form that the token's issuer requires. */
  nameOf(suffix: string | number): string;
}
