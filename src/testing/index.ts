export { type Bracket, bracket, type Data, type Open } from './bracket.ts';
export { type ContractCase, storeContract } from './store-contract.ts';
export {
  type CorpusCase,
  type CorpusNote,
  type CorpusOutcome,
  type CorpusWorkflow,
  checkCorpus,
  corpusWorkflow,
  judgeCorpus,
  parseCorpus,
} from './corpus.ts';
