/** The oldest Node that runs this program. It stands in `engines` of package.json, too: npm does no more than warn. */
export const LEAST_NODE = '20.19';

/** Says that the Node of this `version` is too old; undefined when it is not. */
export function tooOld(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [leastMajor = 0, leastMinor = 0] = LEAST_NODE.split('.').map(Number);
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return undefined;
  return `alter-proxy needs Node ${LEAST_NODE} or later, this is ${version}`;
}
