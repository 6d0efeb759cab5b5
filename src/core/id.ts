// Ids derived from what they name, so that the same request names the same job.
// Pure: the digest arrives as hex, and nothing here is random.

/** A UUIDv8 (RFC 9562) of 64 hex digits: the first 128 bits with version and variant set. */
export function uuidOf(hex: string): string {
  const variant = ((parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}
