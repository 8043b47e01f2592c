/** CDK's tokens in a text, for values that are only known at deployment; a port is a number. */
const DEPLOY_TIME = /\$\{Token\[[^\]]*\]\}/g;
const DEPLOY_TIME_PORT = /:\$\{Token\[[^\]]*\]\}/g;

/**
 * A text with a word in place of each deploy-time part, so that the text around it can be checked; undefined if it
 * begins with such a part, which may be anything.
 */
export function withPlaceholders(text: string): string | undefined {
  return text.search(DEPLOY_TIME) === 0
    ? undefined
    : text.replaceAll(DEPLOY_TIME_PORT, ':1').replaceAll(DEPLOY_TIME, 'token');
}
