// Ends a run of the tests with one line that programs can read, after vitest's own summary.
export default class PlainSummary {
  onTestRunEnd(testModules, unhandledErrors) {
    const count = { passed: 0, failed: unhandledErrors.length };
    for (const testModule of testModules) {
      count.failed += testModule.errors().length;
      for (const test of testModule.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed' || state === 'failed') count[state]++;
      }
    }
    console.log(`${count.passed} passed, ${count.failed} failed`);
  }
}
