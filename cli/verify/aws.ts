import { createRequire } from 'node:module';
import path from 'node:path';
import { installTool } from '../../scripts/install-tool.ts';

const SERVICES = {
  'api-gateway': 'APIGateway',
  cloudformation: 'CloudFormation',
  iam: 'IAM',
  lambda: 'Lambda',
  s3: 'S3',
} as const;

type Service = keyof typeof SERVICES;

/**
 * Calls one operation of one service with its stock client, e.g. `call('iam', 'GetRole', { RoleName })`.
 *
 * @throws what the client throws
 */
export type AwsCall = <Output>(service: Service, operation: string, input: object) => Promise<Output>;

interface Client {
  send(command: object): Promise<unknown>;
  config: { region(): Promise<string> };
  destroy(): void;
}

/** The account that holds the stack. Credentials and endpoints are the SDK's own. */
export interface Account {
  call: AwsCall;
  region: string;
  close(): void;
}

/**
 * @param named omitted parts come from the SDK's defaults
 * @throws if no Region is configured
 */
export async function openAccount(named: { region?: string; profile?: string }): Promise<Account> {
  const load = createRequire(path.join(installTool('verify'), 'package.json'));
  const clients = new Map<Service, Client>();

  function clientOf(service: Service): Client {
    const known = clients.get(service);
    if (known !== undefined) return known;
    const Client = load(`@aws-sdk/client-${service}`)[`${SERVICES[service]}Client`] as new (
      config: object,
    ) => Client;
    const client = new Client(named);
    clients.set(service, client);
    return client;
  }

  return {
    async call<Output>(service: Service, operation: string, input: object) {
      const Command = load(`@aws-sdk/client-${service}`)[`${operation}Command`] as new (
        input: object,
      ) => object;
      return (await clientOf(service).send(new Command(input))) as Output;
    },
    region: await clientOf('cloudformation').config.region(),
    close: () => {
      for (const client of clients.values()) client.destroy();
    },
  };
}
