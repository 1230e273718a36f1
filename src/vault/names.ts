/** Forms of the names that become part of a store key or are shown in tables. None of them can hold a colon or a control character. */
const APP = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const SECRET_ID = /^ms_[0-9A-HJKMNP-TV-Z]{26}$/;
const SECRET_NAME = /^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$/;
const KEY_ID = /^[0-9a-f]{64}$/;
const SLUG = /^[a-z0-9][a-z0-9-]{0,63}$/;
const FIELD_NAME = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;
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
