/** Objects of the file, and how many of them it changes. */
export const objects = 500
export const changed = 25

const namespace = 'bench-diff'
const sites = 99

/**
 * A fleet in one YAML file: a namespace, a hardware class, 99 sites and 399 appliances, as a GitOps repository has them.
 * `edited`: 25 appliances are being drained.
 */
export function fleetYaml(edited: boolean): string {
  const documents = [
    `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ${namespace}\n`,
    `apiVersion: fleet.weir.dev/v1alpha1\nkind: HardwareClass\nmetadata:\n  name: bench-diff\nspec:\n  storageBytes: 240000000000000\n  storageMedium: flash\n  throughputGbps: 100\n`,
    ...Array.from({ length: sites }, (_, i) => site(i)),
    ...Array.from({ length: objects - sites - 2 }, (_, i) => appliance(i, edited && i < changed)),
  ]
  return documents.join('---\n')
}

function site(index: number): string {
  return `# Site ${index}, at an exchange.
apiVersion: fleet.weir.dev/v1alpha1
kind: Site
metadata:
  name: site-${index}
  namespace: ${namespace}
  labels:
    example.com/region: region-${index % 7}
spec:
  country: DE
  metro: FRA
  timeZone: Europe/Berlin
  network:
    asn: ${64512 + index}
    prefixes:
      - 10.${index}.0.0/16
    uplinkGbps: 100
  fillWindows:
    - start: "01:00"
      end: "05:30"
      maxGbps: 40
`
}

function appliance(index: number, draining: boolean): string {
  return `apiVersion: fleet.weir.dev/v1alpha1
kind: Appliance
metadata:
  name: appliance-${index}
  namespace: ${namespace}
  labels:
    example.com/rack: r${index % 20}
spec:
  siteRef:
    name: site-${index % sites}
  hardwareClassRef:
    name: bench-diff
  serialNumber: SN-${100_000 + index}
  mode: ${draining ? 'Draining' : 'InService'}
`
}
