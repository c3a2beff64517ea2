export { type Bracket, bracket, type Data, type Open } from './bracket.ts';
export { type ContractCase, storeContract } from './store-contract.ts';
