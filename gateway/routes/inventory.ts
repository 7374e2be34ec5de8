import type { CatalogRef } from '../../crds/types.gen.ts'
import { decodeFileSet, type FileSetBlob } from '../../reconcilers/blobs/file-set-blob.ts'
import type { Route } from '../context.ts'
import { readBody } from '../http/body.ts'
import { badRequest, HttpProblem } from '../http/problem.ts'
import { sendNothing } from '../http/reply.ts'

/** A bitmap of a million files has at most 128 KiB. */
const MAX_BYTES = 16 * 1024 * 1024
/** As the schema of Appliance.status allows. */
const MAX_CATALOGS = 64
const NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/

/**
 * `PUT …/inventory/{namespace}/{catalog}`: what the appliance verifiably holds and offers of a catalog. Answered once nobody can be told
 * of the inventory before it any more, not even after a crash: the blob is on disk, and the API has its digest. `DELETE` takes it back.
 */
export const inventoryRoute: Route = {
  path: ['inventory'],
  restLength: 2,
  opens: 'appliance',
  methods: {
    async PUT({ gateway, req, res, appliance, rest }) {
      const catalog = catalogOf(rest)
      const name = `${catalog.namespace}/${catalog.name}`
      const others = gateway.fleet
        .inventoriesOf(appliance)
        .filter((ref) => ref.catalog.name !== catalog.name || ref.catalog.namespace !== catalog.namespace)
      if (others.length >= MAX_CATALOGS) {
        throw new HttpProblem(422, 'TooManyCatalogs', `inventories of at most ${MAX_CATALOGS} catalogs are kept`)
      }
      const body = await readBody(req, MAX_BYTES)
      const { catalog: catalogDigest, set } = decoded(body)
      // Where the catalog is not there (yet), whoever reads the inventory leaves out what goes beyond.
      const files = await gateway.sizes.of(catalogDigest)
      if (files !== undefined && set.reachesBeyond(files)) {
        throw new HttpProblem(
          422,
          'NoSuchFiles',
          `the inventory has files beyond the ${files} that its catalog numbers`,
        )
      }
      const digest = await gateway.blobs.put(body)
      gateway.counters.inventories++
      gateway.heartbeats.heard(appliance)
      await gateway.reports.setInventory(appliance, name, { catalog, digest, catalogDigest })
      sendNothing(res)
    },
    async DELETE({ gateway, res, appliance, rest }) {
      const { namespace, name } = catalogOf(rest)
      gateway.counters.inventories++
      gateway.heartbeats.heard(appliance)
      await gateway.reports.setInventory(appliance, `${namespace}/${name}`, undefined)
      sendNothing(res)
    },
  },
}

function catalogOf([namespace = '', name = '']: readonly string[]): CatalogRef {
  if (!NAME.test(namespace) || namespace.length > 63 || !NAME.test(name)) throw badRequest('the path names no catalog')
  return { namespace, name }
}

function decoded(body: Uint8Array): FileSetBlob {
  try {
    return decodeFileSet(body)
  } catch (error) {
    throw badRequest(`not an inventory: ${(error as Error).message}`)
  }
}
