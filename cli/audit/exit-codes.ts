export const EXIT = { found: 0, failure: 1, wrongUse: 2, nothingFound: 3, different: 4 };
