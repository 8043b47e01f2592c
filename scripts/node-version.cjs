// Runs before the npm scripts that start a TypeScript file, in a form that any Node understands: an old one fails there without saying why.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    `usher: Node ${process.versions.node} is too old to run this: install 22.18 or newer (or run \`npm ci\` on a platform where npm has Node 24).`,
  );
  process.exit(1);
}
