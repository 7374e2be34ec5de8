/** Manifests of a fleet as people write them, in one file: a site, its three appliances, and so on. Nothing is wrong with them. */
export function fleetManifests(objects: number): string {
  const parts = [HARDWARE]
  for (let i = 0; parts.length < objects; i++) {
    parts.push(site(i))
    for (const letter of ['a', 'b', 'c']) if (parts.length < objects) parts.push(appliance(i, letter))
  }
  return parts.join('---\n')
}

const HARDWARE = `apiVersion: fleet.weir.dev/v1alpha1
kind: HardwareClass
metadata:
  name: storage-100t
spec:
  storageBytes: 100000000000000
  storageMedium: hdd
  throughputGbps: 40
`

const site = (i: number) => `# Site ${i}
apiVersion: fleet.weir.dev/v1alpha1
kind: Site
metadata:
  name: site-${i}
  namespace: fleet
  labels:
    topology.kubernetes.io/region: r${i % 20}
    tier: edge
spec:
  country: DE
  metro: metro-${i % 300}
  coordinates: {latitude: ${40 + (i % 200) / 10}, longitude: ${i % 180}.5}
  timeZone: Europe/Berlin
  network:
    asn: ${64500 + i}
    prefixes:
      - 10.${(i >> 8) & 255}.${i & 255}.0/24
      - '2001:db8:${i.toString(16)}::/48'
    uplinkGbps: 40
${i < 20 ? '' : `  parents:\n    - name: site-${Math.floor(i / 20)}\n`}  fillWindows:
    - days: [Mon, Tue, Wed, Thu, Fri]
      start: '02:00'
      end: '08:00'
      maxGbps: 4
    - days: [Sat, Sun]
      start: '00:00'
      end: '10:00'
`

const appliance = (i: number, letter: string) => `apiVersion: fleet.weir.dev/v1alpha1
kind: Appliance
metadata:
  name: site-${i}-${letter}
  namespace: fleet
  labels:
    site: site-${i}
spec:
  siteRef:
    name: site-${i}
  hardwareClassRef:
    name: storage-100t
  serialNumber: CZ${String(i).padStart(6, '0')}${letter}
  mode: InService
`
