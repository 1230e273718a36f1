/** The ASN.1 module of node-forge by itself: the whole package brings its own TLS, SSH and HTTP into memory. */
declare module 'node-forge/lib/asn1.js' {
  import type forge from 'node-forge';

  const asn1: typeof forge.asn1;
  export default asn1;
}
