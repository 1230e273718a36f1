/** How the parties are called where their figures are shown; other proxies by their own titles. */
const PARTY_TITLES = {
  floor: 'floor',
  grant: 'alter-proxy, with a grant',
  relay: 'alter-proxy, without a grant',
  engine: 'its engine alone',
  direct: 'no proxy',
};

/** The title of a party in these results. */
export function titleOf(results, party) {
  return PARTY_TITLES[party] ?? results.peers.find(({ name }) => name === party)?.title ?? party;
}

/** A whole number with thousands apart. */
export function whole(value) {
  return Math.round(value).toLocaleString('en');
}

/** A figure with so many decimals; a dash for what was not measured. */
export function figure(value, decimals = 0) {
  return value === undefined || !Number.isFinite(value) ? '-' : decimals === 0 ? whole(value) : value.toFixed(decimals);
}
