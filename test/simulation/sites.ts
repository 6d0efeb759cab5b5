// The places at which the runtime asks a store or the queue for something, by operation, kind of
// document and what the process was about. The crash points must have reached each of them: a site
// that nobody reaches is a fault that nobody has tried.
export const SITES: readonly string[] = [];
