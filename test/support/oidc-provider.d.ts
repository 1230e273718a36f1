/** The part of oidc-provider that the tests use; it ships no types. */
declare module 'oidc-provider' {
  import type { RequestListener } from 'node:http';

  interface Model {
    save(): Promise<string>;
  }

  export default class Provider {
    constructor(issuer: string, configuration: Readonly<Record<string, unknown>>);
    callback(): RequestListener;
    readonly Client: { find(id: string): Promise<object | undefined> };
    readonly Grant: new (properties: object) => Model & { addOIDCScope(scope: string): void };
    readonly RefreshToken: new (properties: object) => Model;
    readonly AccessToken: { find(token: string): Promise<object | undefined> };
    readonly ClientCredentials: { find(token: string): Promise<object | undefined> };
  }
}
