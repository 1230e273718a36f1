/** URI scheme of an origin. */
export type Scheme = 'http' | 'https';

/** A host in its one canonical spelling, and a port. */
export interface Authority {
  /** Lower-case DNS name, dotted-quad IPv4, or IPv6 (RFC 5952) without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Where a request goes. */
export interface Origin extends Authority {
  readonly scheme: Scheme;
}
