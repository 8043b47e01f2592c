import fc from 'fast-check';

// For mutation testing alone: that a property fails is enough there, and looking for the smallest case takes long.
fc.configureGlobal({ endOnFailure: true });
