/** Who stands behind a request, as a verified user token says. */
export interface VerifiedUser {
  readonly app: string;
  /** Slug of the identity provider. */
  readonly idp: string;
  readonly subject: string;
  /** What the identity provider says the user is a member of. */
  readonly groups: ReadonlySet<string>;
}
