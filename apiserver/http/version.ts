/** The Kubernetes release whose API this server speaks. */
const kubernetesVersion = { major: '1', minor: '36', patch: '3' }

/** `/version`. Clients parse gitVersion as a semantic version; the build tag says who we are. */
export function versionDocument(weirVersion: string): object {
  const { major, minor, patch } = kubernetesVersion
  return {
    major,
    minor,
    emulationMajor: major,
    emulationMinor: minor,
    minCompatibilityMajor: major,
    minCompatibilityMinor: String(Number(minor) - 1),
    gitVersion: `v${major}.${minor}.${patch}+weir`,
    gitCommit: '',
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: `weir ${weirVersion}`,
    compiler: `node ${process.versions.node}`,
    platform: `${process.platform === 'win32' ? 'windows' : process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
  }
}
