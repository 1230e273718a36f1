export { Secret } from './reveal.ts';
