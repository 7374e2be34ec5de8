import { createHash } from 'node:crypto'
import type { Resource } from '../../runtime/client/resource.ts'

// The names of the ApplySet specification, shared by every tool that keeps to it. Source: KEP-3659,
// https://git.k8s.io/enhancements/keps/sig-cli/3659-kubectl-apply-prune#design-details-applyset-specification

/** On a parent: its set's id. */
export const ID_LABEL = 'applyset.kubernetes.io/id'
/** On a member: the id of the set that it is part of. */
export const PART_OF_LABEL = 'applyset.kubernetes.io/part-of'
/** On a CustomResourceDefinition: its kind may be a parent. */
export const PARENT_TYPE_LABEL = 'applyset.kubernetes.io/is-parent-type'
/** On a parent: `NAME/VERSION` of the tool that alone may change the set. */
export const TOOLING_ANNOTATION = 'applyset.kubernetes.io/tooling'
/** On a parent: the kinds of its members, `Kind.group` between commas. Absent: nobody has written them down. */
export const KINDS_ANNOTATION = 'applyset.kubernetes.io/contains-group-kinds'
/** On a parent, from tools of before 2024: the same as `plural.group`. */
export const RESOURCES_ANNOTATION = 'applyset.kubernetes.io/contains-group-resources'
/** On a parent: the namespaces of its members other than its own, between commas. */
export const NAMESPACES_ANNOTATION = 'applyset.kubernetes.io/additional-namespaces'

/** Weir's name as a tool that keeps ApplySets. */
export const TOOL = 'weir'
export const TOOLING = `${TOOL}/v1`
/** Who the parent's labels and annotations are written down to; the members' fields are `weir`'s. */
export const PARENT_FIELD_MANAGER = `${TOOL}-applyset`

/** The id of the set whose parent this is: a hash of what the parent is called, so that no two parents have the same. */
export function applySetId(
  { kind, group }: Pick<Resource, 'kind' | 'group'>,
  { name, namespace = '' }: { readonly name: string; readonly namespace?: string },
): string {
  const hash = createHash('sha256').update([name, namespace, kind, group].join('.')).digest('base64url')
  return `applyset-${hash}-v1`
}
