/** Lets what has arrived from the network be read, and what follows from it be sent, before the code goes on. */
export function turnOfEventLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
