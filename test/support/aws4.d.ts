/** The part of aws4 that the tests use; it ships no types. */
declare module 'aws4' {
  interface Request {
    readonly host: string;
    readonly method: string;
    readonly path: string;
    readonly service: string;
    readonly region: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: string | Buffer;
    readonly signQuery?: boolean;
    readonly extraHeadersToIgnore?: Readonly<Record<string, boolean>>;
  }

  const aws4: {
    sign(
      request: Request,
      credentials: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string },
    ): { readonly headers: Readonly<Record<string, string>>; readonly path: string };
  };
  export default aws4;
}
