import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import type { FunctionDescription } from './lambda/function-description.ts';

/** What other programs need to know about a running local system; the content of `environment.json`. */
export interface LocalEnvironment {
  /** With the stage, without a trailing slash. */
  apiUrl: string;
  chimeUrl: string;
  dynamodbUrl: string;
  s3Url: string;
  /** The table of facts. */
  tableName: string;
  /** The derived table. */
  admissionTableName: string;
  /** The reconciler's working state. */
  openIntentTableName: string;
  /** The bucket of the seals and the prefix of their keys; left out if nothing is sealed. */
  sealBucketName?: string;
  sealPrefix?: string;
  /** Chime's events; left out if they are not recorded. */
  eventTableName?: string;
  /** The sealer, as `npm run seal` runs it; left out if nothing is sealed. */
  sealer?: FunctionDescription;
  /** The reconciler, as `npm run reconcile` runs it: without credentials, because it uses the caller's own. */
  reconciler: FunctionDescription;
  issuer: string;
  audience: string;
  region: string;
  /** The ready-made meeting; omitted if an external Chime refused to create one. */
  meetingId?: string;
  /** Where the local issuer publishes its keys; omitted with an external issuer. */
  jwksUri?: string;
  /** Where tokens are signed; omitted with an external issuer. */
  signUrl?: string;
  /** The page for people, with the contract beside it. */
  pageUrl: string;
  /** A client of the local issuer for the client credentials grant; omitted with an external issuer. */
  backendClientId?: string;
  backendClientSecret?: string;
  /** The process that ends everything on SIGINT or SIGTERM. */
  pid: number;
  /** The local issuer's process. */
  issuerPid?: number;
}

/** The directory of the running system: `USHER_LOCAL_DIR`, or `.local` in the current directory. */
export function stateDirectory(env: NodeJS.ProcessEnv): string {
  return path.resolve(env['USHER_LOCAL_DIR'] ?? '.local');
}

/** @throws in one line if no system runs there */
export function readLocalEnvironment(directory: string): LocalEnvironment {
  try {
    return JSON.parse(readFileSync(path.join(directory, 'environment.json'), 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error(`No local system runs in ${directory}: start one with \`npm start\`.`);
  }
}

/** A claimed directory, until `release`. */
export interface StateDirectory {
  /** A place for the synthesized stack; does not exist yet. */
  assemblyDirectory: string;
  /** The data that is kept between starts. */
  dataDirectory: string;
  /** What the functions log, as NDJSON, since the last start. */
  logFile: string;
  /** Publishes the running system, atomically; only the owner may read it, because its readers can sign tokens. */
  publish(environment: LocalEnvironment): void;
  /** Removes everything made here except the kept data. */
  release(): void;
}

/**
 * Claims a directory for one running system.
 *
 * @throws in one line if another one runs there
 */
export function claimStateDirectory(directory: string): StateDirectory {
  const environmentFile = path.join(directory, 'environment.json');
  const assemblyDirectory = path.join(directory, 'assembly');
  const pidFile = path.join(directory, 'pid');
  const logFile = path.join(directory, 'log.ndjson');
  const created = mkdirSync(directory, { recursive: true, mode: 0o700 });
  writePid(pidFile);
  // A killed system left it.
  rmSync(environmentFile, { force: true });
  rmSync(assemblyDirectory, { recursive: true, force: true });
  rmSync(logFile, { force: true });
  return {
    assemblyDirectory,
    dataDirectory: path.join(directory, 'data'),
    logFile,
    publish(environment) {
      const draft = `${environmentFile}.${process.pid}`;
      writeFileSync(draft, `${JSON.stringify(environment, null, 2)}\n`, { mode: 0o600 });
      renameSync(draft, environmentFile);
    },
    release() {
      rmSync(environmentFile, { force: true });
      rmSync(pidFile, { force: true });
      if (created !== undefined) removeIfEmpty(directory);
    },
  };
}

/** Only one process can create the file; a file of a dead process is taken over. */
function writePid(pidFile: string): void {
  try {
    const file = openSync(pidFile, 'wx', 0o600);
    writeFileSync(file, String(process.pid));
    closeSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const pid = Number(readFileSync(pidFile, 'utf8'));
    if (isAlive(pid)) {
      throw new Error(
        `A local system runs in ${path.dirname(pidFile)} already: stop it, or set USHER_LOCAL_DIR to another folder to run a second one. If process ${pid} is not Usher, delete ${pidFile}.`,
      );
    }
    rmSync(pidFile, { force: true });
    writePid(pidFile);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error;
  }
}
