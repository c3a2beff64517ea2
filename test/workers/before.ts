import { deployed } from './stranded.ts';

const edge = deployed('before');

export class Runs extends edge.Runs {}

export default edge.app;
