import { deployed } from './stranded.ts';

const edge = deployed('after');

export class Runs extends edge.Runs {}

export default edge.app;
