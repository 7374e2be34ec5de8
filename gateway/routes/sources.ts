import { rankSources } from '../../reconcilers/gateway/sources.ts'
import { keyOf } from '../../reconcilers/identity.ts'
import type { Route } from '../context.ts'
import { notFound } from '../http/problem.ts'
import { sendJson } from '../http/reply.ts'

/** `GET …/sources`: whom to fill from, best first, as of now. */
export const sourcesRoute: Route = {
  path: ['sources'],
  restLength: 0,
  opens: 'appliance',
  methods: {
    GET({ gateway: { id, fleet }, res, appliance: key }) {
      const appliance = fleet.appliances.get(key)
      if (!appliance) throw notFound(`appliance ${key} does not exist`)
      const elsewhere = fleet.heardElsewhere(id)
      const sources = rankSources({
        appliance,
        site: fleet.sites.get(`${appliance.metadata.namespace}/${appliance.spec.siteRef.name}`),
        appliancesAt: (site) => fleet.appliances.byIndex('site', site),
        isOnline: (candidate) => fleet.isOnline(candidate, elsewhere),
        inventoriesOf: (candidate) => fleet.inventoriesOf(keyOf(candidate)),
      })
      sendJson(res, 200, sources)
    },
  },
}
