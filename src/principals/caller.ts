/** Who sent a request, as the API key says. */
export interface Caller {
  readonly app: string;
  readonly type: 'app';
  /** Display prefix of the key, or `config` for the proxy's own key. Never the key. */
  readonly keyId: string;
  /** Milliseconds since the epoch after which the key is not valid. */
  readonly expiresAt?: number;
}
