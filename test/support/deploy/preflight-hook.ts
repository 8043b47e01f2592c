import { createRequire, registerHooks } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { App, Stage } from 'aws-cdk-lib';

// Loaded before a CDK app, which it leaves as it is: has cdk-preflight check what the app synthesizes, and the app fail with
// what it finds. The package's own name stands for its sources, as in the example app.

const PROJECT = new URL('../../../', import.meta.url);

interface CdkPreflight {
  Preflight: { apply(app: App, options: { strict: boolean }): void };
}
// It is installed without a CDK of its own, and so finds this project's: constructs of another copy are not recognized.
const require = createRequire(new URL('tools/preflight/package.json', PROJECT));
const { Preflight } = require('cdk-preflight') as CdkPreflight;

const { name } = createRequire(import.meta.url)(fileURLToPath(new URL('package.json', PROJECT)));
const sources = pathToFileURL(fileURLToPath(new URL('lib/index.ts', PROJECT))).href;
registerHooks({
  resolve: (specifier, context, next) => next(specifier === name ? sources : specifier, context),
});

const checked = new WeakSet<App>();
/** An app that has been synthesized already, or is being so, is its own again: cdk-preflight has put its gate before it. */
App.prototype.synth = function (...args) {
  if (checked.has(this)) return Stage.prototype.synth.apply(this, args);
  checked.add(this);
  // Errors of CDK's own rules count too; by itself CDK takes them for warnings.
  Preflight.apply(this, { strict: true });
  return this.synth(...args);
};
