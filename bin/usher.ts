import { App } from 'aws-cdk-lib';
import { ConfigurationError } from '../lib/checks/configuration-error.ts';
import { loadConfig } from '../lib/settings/config-file.ts';
import { isControlRegion, notAControlRegion } from '../lib/settings/regions.ts';
import { UsherStack } from '../lib/usher-stack.ts';

// `cdk synth -c env=prod` synthesizes what config/prod.json describes; cdk.json names the default environment.
try {
  const app = new App();
  const env: unknown = app.node.tryGetContext('env');
  if (typeof env !== 'string' || !/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(env)) {
    throw new ConfigurationError(
      'Which environment? Give the name of a file in config/, such as -c env=dev.',
    );
  }
  const file = `config/${env}.json`;
  const config = loadConfig(file);
  // Where the file leaves the Region open, the CDK command line says which one it would deploy to.
  const deployRegion = config.region ?? process.env['CDK_DEFAULT_REGION'];
  if (config.meetingsRegion === undefined && deployRegion !== undefined && !isControlRegion(deployRegion)) {
    throw new ConfigurationError(`${file}: meetingsRegion: ${notAControlRegion(deployRegion)}`);
  }
  new UsherStack(app, config.stackName, { config });
  app.synth();
} catch (error) {
  if (!(error instanceof ConfigurationError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
