/**
 * How long a connection is silent before TCP asks whether its peer is still there, on both sides of the proxy: a peer whose machine or way has
 * vanished sends no FIN, and a stream or a tunnel may be silent for as long as it likes.
 */
export const KEEP_ALIVE_DELAY_MS = 30_000;
