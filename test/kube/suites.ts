/** The tests that ask the server of WEIR_TEST_KUBECONFIG when there is one, as files or folders. */
export const suites: readonly string[] = [
  'test/charts',
  'test/cli/apply.test.ts',
  'test/cli/apply/as-seen.test.ts',
  'test/cli/validate/agree.test.ts',
  'test/cli/apply-prune.test.ts',
  'test/cli/apply-stopped.test.ts',
  'test/cli/changes/local-merge.test.ts',
  'test/cli/diff/diff.test.ts',
  'test/controllers/controllers.test.ts',
  'test/controllers/events.test.ts',
  'test/controllers/execute.test.ts',
  'test/controllers/fencing.test.ts',
  'test/examples/gitops.test.ts',
  'test/gateway',
  'test/agent/real-gateway.test.ts',
  'test/kube',
]
