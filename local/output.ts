/** Lets `--help` end without an error if its reader has gone, as after `| head -1`. Call it before the options are read. */
export function survivePipedHelp(): void {
  if (!process.argv.some((argument) => argument === '--help' || argument === '-h')) return;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
}
