import ava from './ava.config.js';

/** `npm run test:aws`: files that `npm test` does not know, because they need AWS clients and Ceph. */
export default { ...ava, files: ['dist/test/aws/*.aws.js'], concurrency: 2, timeout: '5m' };
