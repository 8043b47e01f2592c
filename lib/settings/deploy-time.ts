/** How CDK writes into a text what is only known at deployment; a port is a number. */
const DEPLOY_TIME = /\$\{Token\[[^\]]*\]\}/g;
const DEPLOY_TIME_PORT = /:\$\{Token\[[^\]]*\]\}/g;

/**
 * A text with a word in place of each part that is only known at deployment, so that what is written around them can be
 * checked; undefined where the text begins with such a part, which may hold anything.
 */
export function withPlaceholders(text: string): string | undefined {
  return text.search(DEPLOY_TIME) === 0
    ? undefined
    : text.replaceAll(DEPLOY_TIME_PORT, ':1').replaceAll(DEPLOY_TIME, 'token');
}
