/** The `X-Alter-*` request headers and the caller's Proxy-Authorization, parsed. */
export interface AlterHeaders {
  /** Lower-case UUID. */
  readonly grantId: string | undefined;
  readonly userToken: string | undefined;
  /** Up to 512 characters. */
  readonly reason: string | undefined;
  readonly caller: string | undefined;
  readonly context: Readonly<Record<string, string>> | undefined;
}
