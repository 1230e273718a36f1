/** An origin as people write it: `https://api.example.com:443` → `api.example.com`; other schemes and ports stay. */
export function shortOrigin(origin: string): string {
  return origin.replace(/^https:\/\/(.*):443$/, '$1').replace(/^(http:\/\/.*):80$/, '$1');
}

/** The first two of several origins, and how many more there are. */
export function shortOrigins(origins: readonly string[]): string {
  const shown = origins.slice(0, 2).map(shortOrigin).join(', ');
  return origins.length > 2 ? `${shown} +${String(origins.length - 2)}` : shown;
}
