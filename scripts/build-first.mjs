// Tests that start processes run the built package: it is never older than the sources.
import { execSync } from 'node:child_process';

export default function build() {
  execSync('npm run -s build', { stdio: 'inherit' });
}
