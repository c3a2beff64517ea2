// Tests that start processes run the built package: it is never older than the sources.
import { execSync } from 'node:child_process';

export default function build() {
  // The command has built it, and each project would again.
  if (process.env.npm_lifecycle_event === 'test') return;
  execSync('npm run -s build', { stdio: 'inherit' });
}
