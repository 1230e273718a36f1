/** Forms of the names that become part of a store key or are shown in tables. None of them can hold a colon or a control character. */
/** Also in config/schema.json. The records of API keys stand in the place of an app called `key`. */
const APP = /^(?!key$)[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const SECRET_ID = /^ms_[0-9A-HJKMNP-TV-Z]{26}$/;
const SECRET_NAME = /^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$/;
const KEY_ID = /^[0-9a-f]{64}$/;
const SLUG = /^[a-z0-9][a-z0-9-]{0,63}$/;
const FIELD_NAME = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;
const AGENT_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const CLAIM_PATH = /^[^.\p{C}]{1,128}(?:\.[^.\p{C}]{1,128}){0,7}$/u;
const EXTERNAL_ID = /^[^\p{C}\p{Zl}\p{Zp}]{1,256}$/u;
const LABEL = /^[^\p{C}\p{Zl}\p{Zp}]{1,128}$/u;

/** Whether `text` can name an app. */
export function isAppName(text: string): boolean {
  return APP.test(text);
}

/** Whether `text` is the id of a managed secret: `ms_` and 26 characters of Crockford base32. */
export function isSecretId(text: string): boolean {
  return SECRET_ID.test(text);
}

/** Whether an operator may give a secret this name. A name never looks like an id. */
export function isSecretName(text: string): boolean {
  return SECRET_NAME.test(text) && !isSecretId(text);
}

/** Whether `text` is the id of an API key: SHA-256 in lower-case hex. */
export function isKeyId(text: string): boolean {
  return KEY_ID.test(text);
}

/** Whether `text` can be the slug of a provider. */
export function isSlug(text: string): boolean {
  return SLUG.test(text);
}

/** Whether `text` can name a credential field. */
export function isFieldName(text: string): boolean {
  return FIELD_NAME.test(text);
}

/** Whether `text` can stand as a label or name in tables: 1 to 128 printable characters, not only spaces. */
export function isLabel(text: string): boolean {
  return LABEL.test(text) && text.trim() !== '';
}

/** Whether `text` can name an agent: lower case, because two names that differ in case only are one to people. */
export function isAgentName(text: string): boolean {
  return AGENT_NAME.test(text);
}

/** Whether `text` can be what an identity provider calls a user or a group. */
export function isExternalId(text: string): boolean {
  return EXTERNAL_ID.test(text);
}

/** Whether `text` leads to a claim of a JWT: member names with dots between them, `realm_access.roles`. */
export function isClaimPath(text: string): boolean {
  return CLAIM_PATH.test(text);
}

/** What a policy record is attached to: `app`, or `provider.<slug>`. */
export function isPolicyTarget(text: string): boolean {
  return text === 'app' || (text.startsWith('provider.') && isSlug(text.slice('provider.'.length)));
}
