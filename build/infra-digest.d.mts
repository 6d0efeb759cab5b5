export function infraDigest(root: string): string;
